#include "actors/sender.hpp"

#include <algorithm>
#include <set>
#include <utility>

namespace signalbox {

namespace {

// How much of one work is submitted before the next one has its turn.
constexpr std::size_t slice = 64;

} // namespace

sender_actor::sender_actor(caf::actor_config& cfg, std::shared_ptr<mailbox_stats> mailbox,
                           std::shared_ptr<provider_transport> transport, const wall_clock& clock,
                           sender_options options)
  : bounded(cfg, std::move(mailbox)), transport_(std::move(transport)), clock_(clock),
    options_(std::move(options)), random_(options_.seed) {}

sender_actor::behavior_type sender_actor::make_behavior() {
  // A weak handle: the transport must not keep its own user alive.
  transport_->on_answers(
    [self = caf::actor_cast<caf::weak_actor_ptr>(this)](std::vector<answer_batch> batches) {
      if (const auto strong = self.lock())
        anon_send_urgent(caf::actor_cast<signalbox::sender>(strong), answers{std::move(batches)});
    });
  return {
    [this](const assign_works& assignment) {
      take(assignment);
      send_report();
    },
    [this](const answers& arrived) {
      take_answers(arrived);
      send_report();
    },
    [this](const transport_stopped&) {
      if (drain_promise_.pending())
        drain_promise_.deliver(drained{});
    },
    [this](const reports_committed& committed) {
      acknowledge(committed.number);
      send_report();
    },
    [this](const extend_leases& extension) {
      extend(extension);
      send_report();
    },
    [this](const drop_works& dropped) { drop(dropped.works); },
    [this](const job_stopped& stop) {
      stop_job(stop);
      send_report();
    },
    [](const tick&) {},
    [this](const peers_changed& change) { change_peers(*change.peers); },
    [this](const drain&) {
      draining_ = true;
      drain_promise_ = make_response_promise<drained>();
      transport_->stop(
        [self = signalbox::sender{this}] { anon_send_urgent(self, transport_stopped{}); });
      return drain_promise_;
    },
  };
}

void sender_actor::on_exit() {
  if (!draining_)
    transport_->stop([] {});
  masters_.clear();
  outcomes_ = nullptr;
  room_ = nullptr;
  works_.clear();
  draft_ = {};
  unacknowledged_.clear();
}

void sender_actor::take(const assign_works& assignment) {
  if (draining_)
    return; // the leases are void with the next start, or run out
  for (const auto& of : assignment.works) {
    const auto [found, added] = works_.try_emplace(of.get());
    if (!added)
      continue;
    auto& work = found->second;
    work.of = of;
    work.master = assignment.master;
    work.lease_deadline = of->lease_deadline;
    windows_[of->dest].held += of->size();
    if (!of->settled.empty()) {
      outcome_batch batch{of, {}, {}, clock_.now()};
      for (const auto& each : of->settled) {
        outcome skipped;
        skipped.token = each.id;
        skipped.index = each.index;
        skipped.status = each.status;
        skipped.reason = each.reason;
        batch.others.push_back(std::move(skipped));
      }
      report(std::move(batch), 0, false);
    }
    enqueue_work(work);
  }
  for (const auto& of : assignment.works)
    pump(of->dest);
}

void sender_actor::enqueue_work(active& work) {
  if (work.queued || work.next >= work.of->targets.size())
    return;
  work.queued = true;
  windows_[work.of->dest].ring.push_back(work.of.get());
}

void sender_actor::pump(const destination& dest) {
  auto& window = windows_[dest];
  if (window.ring.empty() || window.in_use >= options_.window || draining_)
    return;
  const auto now = clock_.now();
  const auto boot_now = clock_.boot_now();
  while (!window.ring.empty() && window.in_use < options_.window) {
    const auto found = works_.find(window.ring.front());
    window.ring.pop_front();
    if (found == works_.end())
      continue;
    auto& work = found->second;
    work.queued = false;
    if (work.next >= work.of->targets.size())
      continue; // its job was stopped
    if (boot_now >= work.lease_deadline)
      continue; // waits for its renewal
    const auto deadline = work.of->job->deadline();
    if (deadline && now >= *deadline) {
      settle_rest(work, outcome_status::expired, "expired");
      continue;
    }
    const auto count =
      std::min({slice, options_.window - window.in_use, work.of->targets.size() - work.next});
    transport_->submit(work.of, work.next, static_cast<std::uint32_t>(count));
    work.next += static_cast<std::uint32_t>(count);
    window.in_use += count;
    enqueue_work(work);
  }
}

void sender_actor::take_answers(const answers& arrived) {
  const auto now = clock_.now();
  std::uniform_real_distribution<double> jitter{0.0, 1.0};
  std::set<destination> freed;
  for (const auto& batch : arrived.batches) {
    const auto count = batch.accepted.size() + batch.others.size();
    auto& window = windows_[batch.of->dest];
    if (works_.find(batch.of.get()) == works_.end()) { // dropped: its lease is another's
      window.in_use -= std::min(window.in_use, count);
      freed.insert(batch.of->dest);
      continue;
    }
    outcome_batch outcomes{batch.of, batch.accepted, {}, now};
    outcomes.others.reserve(batch.others.size());
    for (const auto& each : batch.others)
      outcomes.others.push_back(decide(options_.retries, options_.classify(each), *batch.of->job,
                                       batch.of->targets[each.position], now, jitter(random_)));
    window.awaiting_commit += count;
    report(std::move(outcomes), count, window.awaiting_commit * 2 >= options_.window);
  }
  for (const auto& dest : freed)
    pump(dest);
}

void sender_actor::settle_rest(active& work, outcome_status status, const std::string& reason) {
  const auto& targets = work.of->targets;
  outcome_batch batch{work.of, {}, {}, clock_.now()};
  for (; work.next < targets.size(); ++work.next) {
    outcome rest;
    rest.token = targets[work.next].id;
    rest.index = targets[work.next].index;
    rest.status = status;
    rest.reason = reason;
    rest.attempts = targets[work.next].attempts;
    batch.others.push_back(std::move(rest));
  }
  if (!batch.others.empty())
    report(std::move(batch), 0, false);
}

void sender_actor::stop_job(const job_stopped& stop) {
  const auto status = stop.reason == "expired" ? outcome_status::expired : outcome_status::skipped;
  for (auto& [key, work] : works_)
    if (key->key.job == stop.job)
      settle_rest(work, status, stop.reason);
}

void sender_actor::drop(const std::vector<work_ptr>& works) {
  for (const auto& of : works) {
    const auto found = works_.find(of.get());
    if (found == works_.end())
      continue;
    const auto left = of->size() - found->second.committed;
    works_.erase(found);
    windows_[of->dest].held -= left;
    return_credit(of->dest, left);
  }
}

void sender_actor::extend(const extend_leases& extension) {
  for (const auto& of : extension.works) {
    const auto found = works_.find(of.get());
    if (found == works_.end())
      continue;
    found->second.lease_deadline = extension.deadline;
    enqueue_work(found->second);
    pump(of->dest);
  }
}

void sender_actor::report(outcome_batch batch, std::size_t slots, bool pressing) {
  draft_.parts.push_back({batch.of, batch.size(), slots});
  draft_.report.pressing = draft_.report.pressing || pressing;
  draft_.report.batches.push_back(std::move(batch));
}

void sender_actor::send_report() {
  if (draft_.parts.empty())
    return;
  draft_.report.from = caf::actor_cast<caf::strong_actor_ptr>(this);
  draft_.report.number = ++last_report_;
  send_urgent(this, outcomes_, draft_.report);
  unacknowledged_.push_back(std::exchange(draft_, {}));
}

void sender_actor::acknowledge(std::uint64_t number) {
  std::map<std::size_t, works_finished> finished;
  std::map<destination, std::size_t> freed;
  while (!unacknowledged_.empty() && unacknowledged_.front().report.number <= number) {
    for (const auto& part : unacknowledged_.front().parts) {
      auto& window = windows_[part.of->dest];
      window.in_use -= std::min(window.in_use, part.slots);
      window.awaiting_commit -= std::min(window.awaiting_commit, part.slots);
      freed[part.of->dest] += 0;
      const auto found = works_.find(part.of.get());
      if (found == works_.end())
        continue;
      auto& work = found->second;
      work.committed += part.outcomes;
      window.held -= part.outcomes;
      freed[part.of->dest] += part.outcomes;
      if (work.committed == work.of->size()) {
        finished[work.master].works.push_back(work.of);
        works_.erase(found);
      }
    }
    unacknowledged_.pop_front();
  }
  for (auto& [master, message] : finished)
    if (master < masters_.size())
      send_urgent(this, masters_[master], std::move(message));
  for (const auto& [dest, targets] : freed) {
    return_credit(dest, targets);
    pump(dest);
  }
}

void sender_actor::change_peers(const lane_peers& peers) {
  masters_ = peers.masters;
  if (room_ != peers.room) {
    room_ = peers.room;
    credit_used used;
    for (const auto& [dest, window] : windows_)
      used.shares.push_back({options_.index, dest, static_cast<std::int64_t>(window.held)});
    send_urgent(this, room_, std::move(used));
  }
  if (outcomes_ != peers.outcomes) {
    outcomes_ = peers.outcomes;
    for (const auto& each : unacknowledged_)
      send_urgent(this, outcomes_, each.report);
  }
}

void sender_actor::return_credit(const destination& dest, std::size_t targets) {
  if (targets > 0)
    send_urgent(this, room_,
                credit_return{{{options_.index, dest, static_cast<std::int64_t>(targets)}}});
}

} // namespace signalbox
