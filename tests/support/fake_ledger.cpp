#include "tests/support/fake_ledger.hpp"

#include "actors/job_states.hpp"

#include <algorithm>

namespace signalbox {

namespace {

constexpr std::size_t most_planned_at_once = 64;
constexpr std::size_t most_unclaimed = 256;

void count(job_counts& counts, outcome_status status) {
  switch (status) {
  case outcome_status::accepted:
    ++counts.accepted;
    break;
  case outcome_status::rejected:
    ++counts.rejected;
    break;
  case outcome_status::unknown:
    ++counts.unknown;
    break;
  case outcome_status::expired:
    ++counts.expired;
    break;
  case outcome_status::skipped:
    ++counts.skipped;
    break;
  case outcome_status::retry:
    break;
  }
}

} // namespace

void fake_ledger::add_topic(const std::string& name, std::vector<ledger_target> members) {
  topics_[name] = std::move(members);
}

void fake_ledger::skip_at_send(token_id token, std::string reason) {
  turned_away_[token] = std::move(reason);
}

commit_result fake_ledger::commit(const job_submission& submission,
                                  std::chrono::milliseconds lease) {
  const auto& asked = submission.job;
  if (asked.scope.kind == scope_kind::topic && !topics_.contains(asked.scope.name))
    return {errc::not_found, "topic " + asked.scope.name, job_status::queued, {}};
  auto& made = jobs_[asked.id];
  made.lane = asked.lane;
  auto context = std::make_shared<job_context>();
  context->id = asked.id;
  context->app = asked.app;
  context->payload = asked.payload;
  context->options = asked.options;
  context->created_at = asked.created_at;
  context->not_before = asked.not_before;
  made.context = std::move(context);
  made.not_before = asked.not_before;
  if (asked.scope.kind == scope_kind::topic)
    made.unplanned = topics_[asked.scope.name];
  for (const auto& each : asked.scope.tokens)
    made.unplanned.push_back({++last_token_, {asked.app, each.provider, each.env}});
  commit_result result;
  if (made.not_before && *made.not_before > clock_.now())
    made.status = job_status::scheduled;
  else if (submission.take && asked.scope.kind != scope_kind::topic) {
    plan_next(made, 1'000);
    if (made.unplanned.empty()) {
      made.status = job_status::in_progress;
      ++last_epoch_;
      for (std::uint32_t seq = 0; seq < made.chunks.size(); ++seq) {
        auto& each = made.chunks[seq];
        each.state = chunk_state::leased;
        each.epoch = last_epoch_;
        each.expires = clock_.boot_now() + lease;
        result.taken.push_back(load_chunk(made, seq));
      }
    }
  }
  result.status = made.status == job_status::scheduled ? made.status : job_status::queued;
  return result;
}

bool fake_ledger::can_plan(const job& of) const {
  return allows_planning(of.status) && !of.unplanned.empty() &&
         std::count_if(of.chunks.begin(), of.chunks.end(), [](const chunk& each) {
           return each.state == chunk_state::ready;
         }) < static_cast<std::ptrdiff_t>(most_unclaimed);
}

void fake_ledger::plan_next(job& of, std::size_t chunk_size) {
  const auto dest = of.unplanned.front().dest;
  chunk made;
  made.dest = dest;
  std::erase_if(of.unplanned, [&](const ledger_target& each) {
    if (each.dest != dest || made.ids.size() == chunk_size)
      return false;
    made.ids.push_back(each.id);
    return true;
  });
  made.bits.resize(made.ids.size());
  made.sent.resize(made.ids.size());
  of.chunks.push_back(std::move(made));
}

plan_result fake_ledger::plan(const std::string& lane, std::size_t chunk_size) {
  plan_result result;
  for (auto& [id, each] : jobs_) {
    if (each.lane != lane)
      continue;
    while (can_plan(each) && result.chunks < most_planned_at_once) {
      plan_next(each, chunk_size);
      ++result.chunks;
    }
    if (allows_planning(each.status) && each.unplanned.empty())
      try_complete(each); // a topic without members
    result.more = result.more || can_plan(each);
  }
  return result;
}

claim_result fake_ledger::claim(const claim_request& request) {
  expire_leases();
  std::map<destination, std::int64_t> budgets;
  for (const auto& each : request.budgets)
    budgets[each.dest] += static_cast<std::int64_t>(each.targets);
  const auto expires = clock_.boot_now() + request.lease;
  ++last_epoch_;
  claim_result result;
  const auto refuse = [&](const destination& dest) {
    if (std::find(result.refused.begin(), result.refused.end(), dest) == result.refused.end())
      result.refused.push_back(dest);
  };
  for (auto& [id, of] : jobs_) {
    if (of.lane != request.lane || of.paused || !allows_retry_claims(of.status))
      continue;
    for (std::uint32_t seq = 0; seq < of.chunks.size(); ++seq) {
      auto& budget = budgets[of.chunks[seq].dest];
      bool any = false;
      for (auto& [token, row] : of.retries) {
        if (row.seq != seq || row.epoch != 0 || row.run_at > clock_.now())
          continue;
        if (budget <= 0) {
          refuse(of.chunks[seq].dest);
          continue;
        }
        --budget;
        row.epoch = last_epoch_;
        row.expires = expires;
        any = true;
      }
      if (any)
        result.works.push_back(load_retries(of, seq, last_epoch_));
    }
  }
  // One chunk of each job in turn, from the job behind the last one that got a claim.
  std::vector<job_id> turn;
  for (const auto& [id, of] : jobs_)
    if (of.lane == request.lane && !of.paused && allows_chunk_claims(of.status))
      turn.push_back(id);
  if (last_claimed_)
    std::rotate(turn.begin(), std::upper_bound(turn.begin(), turn.end(), *last_claimed_),
                turn.end());
  for (bool any = true; any && result.works.size() < request.max_chunks;) {
    any = false;
    for (const auto& id : turn) {
      auto& of = jobs_.at(id);
      for (std::uint32_t seq = 0; seq < of.chunks.size(); ++seq) {
        auto& each = of.chunks[seq];
        if (each.state != chunk_state::ready || result.works.size() >= request.max_chunks)
          continue;
        auto& budget = budgets[each.dest];
        if (budget <= 0) {
          refuse(each.dest);
          continue;
        }
        budget -= static_cast<std::int64_t>(each.ids.size());
        each.state = chunk_state::leased;
        each.epoch = last_epoch_;
        each.expires = expires;
        of.status = job_status::in_progress;
        result.works.push_back(load_chunk(of, seq));
        last_claimed_ = id;
        any = true;
        break;
      }
    }
  }
  return result;
}

work_ptr fake_ledger::build(job& of, work_kind kind, std::uint32_t seq, std::uint64_t epoch,
                            const std::vector<target>& targets, std::vector<settled_target> settled,
                            boot_clock::time_point expires) const {
  auto made = std::make_shared<work>();
  made->kind = kind;
  made->key = {of.context->id, seq};
  made->epoch = epoch;
  made->dest = of.chunks[seq].dest;
  made->job = of.context;
  made->lease_deadline = expires - std::chrono::seconds{1};
  made->settled = std::move(settled);
  for (auto each : targets) {
    const auto away = turned_away_.find(each.id);
    if (away != turned_away_.end()) {
      made->settled.push_back({each.id, each.index, away->second});
      continue;
    }
    const auto text = "token-" + std::to_string(each.id);
    each.offset = static_cast<std::uint32_t>(made->text.size());
    each.length = static_cast<std::uint16_t>(text.size());
    made->text += text;
    made->targets.push_back(each);
  }
  return made;
}

work_ptr fake_ledger::load_chunk(job& of, std::uint32_t seq) {
  const auto& from = of.chunks[seq];
  std::vector<target> left;
  std::vector<settled_target> settled;
  for (std::uint32_t index = 0; index < from.ids.size(); ++index) {
    if (from.bits[index])
      continue;
    if (from.sent[index])
      settled.push_back({from.ids[index], index, "no_answer", outcome_status::unknown});
    else
      left.push_back({from.ids[index], index, 0, 0, 0});
  }
  return build(of, work_kind::chunk, seq, from.epoch, left, std::move(settled), from.expires);
}

work_ptr fake_ledger::load_retries(job& of, std::uint32_t seq, std::uint64_t epoch) {
  std::vector<target> left;
  std::vector<settled_target> settled;
  boot_clock::time_point expires;
  for (const auto& [token, row] : of.retries)
    if (row.seq == seq && row.epoch == epoch) {
      if (row.sent)
        settled.push_back({token, row.index, "no_answer", outcome_status::unknown});
      else
        left.push_back({token, row.index, 0, 0, row.attempts});
      expires = row.expires;
    }
  if (left.empty() && settled.empty())
    return nullptr;
  return build(of, work_kind::retry, seq, epoch, left, std::move(settled), expires);
}

work_ptr fake_ledger::reload(const lease_ref& lease) {
  const auto found = jobs_.find(lease.key.job);
  if (found == jobs_.end())
    return nullptr;
  auto& of = found->second;
  if (lease.kind == work_kind::retry)
    return load_retries(of, lease.key.seq, lease.epoch);
  const auto& from = of.chunks.at(lease.key.seq);
  if (from.state != chunk_state::leased || from.epoch != lease.epoch)
    return nullptr;
  return load_chunk(of, lease.key.seq);
}

renewal fake_ledger::renew(const std::vector<lease_ref>& leases, std::chrono::milliseconds lease) {
  expire_leases();
  const auto expires = clock_.boot_now() + lease;
  renewal result;
  result.deadline = expires - std::chrono::seconds{1};
  for (const auto& each : leases) {
    auto& of = jobs_.at(each.key.job);
    bool held = false;
    if (each.kind == work_kind::chunk) {
      auto& in = of.chunks.at(each.key.seq);
      held = in.state == chunk_state::leased && in.epoch == each.epoch;
      if (held)
        in.expires = expires;
    } else {
      for (auto& [token, row] : of.retries)
        if (row.seq == each.key.seq && row.epoch == each.epoch) {
          row.expires = expires;
          held = true;
        }
    }
    result.leases.push_back({each, held, of.status, of.paused});
  }
  return result;
}

void fake_ledger::release(const std::vector<lease_ref>& leases) {
  for (const auto& each : leases) {
    auto& of = jobs_.at(each.key.job);
    if (each.kind == work_kind::chunk) {
      auto& in = of.chunks.at(each.key.seq);
      if (in.state == chunk_state::leased && in.epoch == each.epoch) {
        in.state = chunk_state::ready;
        in.epoch = 0;
      }
    } else {
      for (auto& [token, row] : of.retries)
        if (row.seq == each.key.seq && row.epoch == each.epoch)
          row.epoch = 0;
    }
  }
}

void fake_ledger::expire_leases() {
  const auto now = clock_.boot_now();
  for (auto& [id, of] : jobs_) {
    for (auto& each : of.chunks)
      if (each.state == chunk_state::leased && each.expires <= now) {
        each.state = chunk_state::ready;
        each.epoch = 0;
        ++expired_;
      }
    for (auto& [token, row] : of.retries)
      if (row.epoch != 0 && row.expires <= now) {
        row.epoch = 0;
        ++expired_;
      }
  }
}

flush_result fake_ledger::flush(const std::vector<outcome_batch>& batches) {
  flush_result result;
  for (const auto& batch : batches) {
    auto& of = jobs_.at(batch.of->key.job);
    if (batch.of->kind == work_kind::chunk)
      flush_chunk(of, batch, result);
    else
      flush_retries(of, batch, result);
    for (const auto& each : batch.late)
      invalidated_.push_back(each.token);
    result.invalidated += batch.late.size();
  }
  return result;
}

void fake_ledger::settle(job& of, chunk& in, const outcome& one, flush_result& result) {
  count(in.counts, one.status);
  if (one.status == outcome_status::retry) {
    const auto seq = static_cast<std::uint32_t>(&in - of.chunks.data());
    of.retries[one.token] = {seq, one.index, one.attempts, one.retry_at, 0, {}, false};
  }
  if (one.dead_letter)
    dead_letters_.push_back({of.context->id, one.token});
  if (one.invalidate != invalidation::none) {
    invalidated_.push_back(one.token);
    ++result.invalidated;
  }
}

void fake_ledger::flush_chunk(job& of, const outcome_batch& batch, flush_result& result) {
  auto& in = of.chunks.at(batch.of->key.seq);
  if (in.epoch != batch.of->epoch) {
    result.stale += batch.size();
    return;
  }
  const auto settle_once = [&](const outcome& one) {
    if (in.bits.at(one.index))
      return;
    in.bits[one.index] = true;
    settle(of, in, one, result);
  };
  for (const auto position : batch.accepted) {
    outcome one;
    one.token = batch.of->targets.at(position).id;
    one.index = batch.of->targets.at(position).index;
    one.status = outcome_status::accepted;
    settle_once(one);
  }
  for (const auto& one : batch.others)
    settle_once(one);
  if (in.state == chunk_state::leased &&
      std::all_of(in.bits.begin(), in.bits.end(), [](bool bit) { return bit; })) {
    in.state = chunk_state::done;
    result.finished_chunks_of.push_back(of.context->id);
  }
}

void fake_ledger::flush_retries(job& of, const outcome_batch& batch, flush_result& result) {
  auto& in = of.chunks.at(batch.of->key.seq);
  const auto end = [&](token_id token) {
    const auto found = of.retries.find(token);
    if (found == of.retries.end() || found->second.epoch != batch.of->epoch) {
      ++result.stale;
      return false;
    }
    of.retries.erase(found);
    return true;
  };
  for (const auto position : batch.accepted)
    if (end(batch.of->targets.at(position).id))
      count(in.counts, outcome_status::accepted);
  for (const auto& one : batch.others)
    if (end(one.token))
      settle(of, in, one, result);
  result.finished_chunks_of.push_back(of.context->id);
}

bool fake_ledger::try_complete(job& of) {
  const bool dispatched =
    of.unplanned.empty() && std::all_of(of.chunks.begin(), of.chunks.end(), [](const auto& each) {
      return each.state == chunk_state::done;
    });
  if (is_terminal(of.status) || of.status == job_status::scheduled || !dispatched)
    return false;
  of.status = of.retries.empty() ? job_status::completed : job_status::dispatched;
  return of.status == job_status::completed;
}

std::vector<job_id> fake_ledger::complete(const std::vector<job_id>& ids) {
  std::vector<job_id> done;
  for (const auto& id : ids)
    if (try_complete(jobs_.at(id)))
      done.push_back(id);
  return done;
}

void fake_ledger::close_ended(job& of, std::size_t limit, sweep_result& result) {
  of.unplanned.clear();
  for (auto& each : of.chunks) {
    if (each.state != chunk_state::ready || result.skipped >= limit)
      continue;
    for (std::size_t i = 0; i < each.bits.size(); ++i)
      if (!each.bits[i]) {
        each.bits[i] = true;
        ++each.counts.skipped;
        ++result.skipped;
      }
    each.state = chunk_state::done;
  }
  std::erase_if(of.retries, [&](const auto& entry) {
    if (entry.second.epoch != 0)
      return false;
    ++of.chunks.at(entry.second.seq).counts.skipped;
    ++result.skipped;
    return true;
  });
}

sweep_result fake_ledger::sweep(const sweep_request& request) {
  expire_leases();
  sweep_result result;
  for (auto& [id, of] : jobs_) {
    if (of.lane != request.lane)
      continue;
    if (of.status == job_status::scheduled && *of.not_before <= clock_.now()) {
      of.status = job_status::queued;
      ++result.released;
    }
    if (is_terminal(of.status)) {
      close_ended(of, request.limit, result);
      result.more = result.more || result.skipped >= request.limit;
    } else if (try_complete(of))
      ++result.completed;
    result.plan_due = result.plan_due || can_plan(of);
    if (of.paused)
      continue;
    if (allows_chunk_claims(of.status))
      for (const auto& each : of.chunks)
        result.work_due = result.work_due || each.state == chunk_state::ready;
    if (allows_retry_claims(of.status))
      for (const auto& [token, row] : of.retries)
        result.work_due = result.work_due || (row.epoch == 0 && row.run_at <= clock_.now());
  }
  return result;
}

void fake_ledger::void_leases() {
  for (auto& [id, of] : jobs_) {
    for (auto& each : of.chunks)
      if (each.state == chunk_state::leased) {
        each.state = chunk_state::ready;
        each.epoch = 0;
      }
    for (auto& [token, row] : of.retries)
      row.epoch = 0;
  }
}

std::vector<bool> fake_ledger::mark_sent(const std::vector<sent_mark>& marks) {
  std::vector<bool> held;
  for (const auto& each : marks) {
    auto& of = jobs_.at(each.of->key.job);
    auto& in = of.chunks.at(each.of->key.seq);
    bool ours = each.of->kind == work_kind::chunk && in.state == chunk_state::leased &&
                in.epoch == each.of->epoch;
    for (const auto position : each.positions) {
      const auto& to = each.of->targets.at(position);
      if (each.of->kind == work_kind::retry) {
        const auto row = of.retries.find(to.id);
        ours = row != of.retries.end() && row->second.epoch == each.of->epoch;
        if (ours)
          row->second.sent = true;
      } else if (ours) {
        in.sent.at(to.index) = true;
      }
    }
    held.push_back(ours);
  }
  return held;
}

void fake_ledger::refund(const std::vector<retry_ref>& retries) {
  for (const auto& each : retries) {
    auto& rows = jobs_.at(each.job).retries;
    const auto row = rows.find(each.token);
    if (row != rows.end() && row->second.attempts > 0)
      --row->second.attempts;
  }
}

backlog fake_ledger::measure(const std::string& lane) const {
  backlog result;
  result.dead_letters = static_cast<std::int64_t>(dead_letters_.size());
  for (const auto& [id, of] : jobs_) {
    if (of.lane != lane)
      continue;
    result.scheduled_jobs += of.status == job_status::scheduled;
    for (const auto& each : of.chunks)
      result.ready_chunks += each.state == chunk_state::ready;
    for (const auto& [token, row] : of.retries)
      ++(row.run_at <= clock_.now() ? result.due_retries : result.waiting_retries);
  }
  return result;
}

std::map<token_id, std::uint16_t> fake_ledger::attempts_of(const job_id& id) const {
  std::map<token_id, std::uint16_t> attempts;
  for (const auto& [token, row] : jobs_.at(id).retries)
    attempts[token] = row.attempts;
  return attempts;
}

void fake_ledger::pause(const job_id& id, bool paused) {
  jobs_.at(id).paused = paused;
}

void fake_ledger::cancel(const job_id& id) {
  jobs_.at(id).status = job_status::cancelled;
}

fake_ledger::account fake_ledger::account_of(const job_id& id) const {
  const auto& of = jobs_.at(id);
  account result;
  result.status = of.status;
  result.plan_done = of.unplanned.empty();
  for (const auto& each : of.chunks) {
    result.planned += static_cast<std::int64_t>(each.ids.size());
    result.counts += each.counts;
  }
  return result;
}

std::size_t fake_ledger::leased() const {
  std::size_t sum = 0;
  for (const auto& [id, of] : jobs_) {
    for (const auto& each : of.chunks)
      sum += each.state == chunk_state::leased;
    for (const auto& [token, row] : of.retries)
      sum += row.epoch != 0;
  }
  return sum;
}

} // namespace signalbox
