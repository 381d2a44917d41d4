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
                           job_store& store, std::shared_ptr<provider_transport> transport,
                           const wall_clock& clock, sender_options options)
  : bounded(cfg, std::move(mailbox)), transport_(std::move(transport)), clock_(clock),
    options_(std::move(options)), random_(options_.seed), store_(store) {}

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
      transport_stopped_ = true;
      finish_drain();
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
    [this](const return_works& paused) {
      for (const auto& of : paused.works) {
        if (const auto found = works_.find(of.get()); found != works_.end())
          withdraw(found->second);
        return_work(of.get());
      }
      send_returned();
    },
    [this](const destination_changed& change) {
      change_destination(change);
      send_report();
    },
    [this](const slices_marked& answer) {
      take_marks(answer);
      send_report();
      finish_drain();
    },
    [this](const refunded& answer) {
      if (!answer.outcome.ok()) {
        auto& again = refunds_[0];
        again.insert(again.end(), answer.retries.begin(), answer.retries.end());
        wake();
      } else if (options_.counters) {
        options_.counters->refunded += answer.retries.size();
      }
    },
    [this](const job_stopped& stop) {
      stop_job(stop);
      send_report();
    },
    [this](const tick&) {
      awake_ = false;
      send_refunds();
      mark_again();
      send_report();
    },
    [this](const peers_changed& change) { change_peers(*change.peers); },
    [this](const drain&) {
      draining_ = true;
      drain_promise_ = make_response_promise<drained>();
      mark_again();
      send_report();
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
  returned_.clear();
  unmarked_.clear();
}

void sender_actor::finish_drain() {
  // What was marked gets its outcome first: else it would end unknown, though it was never sent.
  if (transport_stopped_ && marking_ == 0 && drain_promise_.pending())
    drain_promise_.deliver(drained{});
}

sender_actor::window& sender_actor::window_of(const destination& dest) {
  return windows_.try_emplace(dest, options_).first->second;
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
    auto& window = window_of(of->dest);
    window.held += of->size();
    if (!of->settled.empty()) {
      outcome_batch batch{of, {}, {}, clock_.now()};
      for (const auto& each : of->settled) {
        outcome settled;
        settled.token = each.id;
        settled.index = each.index;
        settled.status = each.status;
        settled.reason = each.reason;
        batch.others.push_back(std::move(settled));
      }
      report(std::move(batch), 0, false);
    }
    if (window.limit == 0)
      return_work(of.get()); // its breaker opened while it was on its way
    else
      enqueue_work(work);
  }
  for (const auto& of : assignment.works)
    pump(of->dest);
  send_returned();
}

void sender_actor::enqueue_work(active& work) {
  if (work.queued || work.returning || work.next >= work.of->targets.size())
    return;
  work.queued = true;
  window_of(work.of->dest).ring.push_back(work.of.get());
}

void sender_actor::pump(const destination& dest) {
  auto& window = window_of(dest);
  if (window.ring.empty() || window.in_use >= window.limit || draining_)
    return;
  const auto now = clock_.now();
  const auto boot_now = clock_.boot_now();
  std::vector<work_slice> to_mark;
  while (!window.ring.empty() && window.in_use < window.limit) {
    auto& work = works_.at(window.ring.front());
    window.ring.pop_front();
    work.queued = false;
    if (work.returning || work.next >= work.of->targets.size())
      continue; // its job was paused or stopped
    if (boot_now >= work.lease_deadline)
      continue; // waits for its renewal
    const auto deadline = work.of->job->deadline();
    if (deadline && now >= *deadline) {
      settle_rest(work, outcome_status::expired, "expired");
      continue;
    }
    const auto count = static_cast<std::uint32_t>(
      std::min({slice, window.limit - window.in_use, work.of->targets.size() - work.next}));
    if (work.of->job->options.on_unknown == unknown_policy::give_up)
      to_mark.push_back({work.of, work.next, count});
    else
      transport_->submit(work.of, work.next, count);
    if (work.submissions.empty() || work.submissions.back().accepts != window.accepts)
      work.submissions.push_back({work.next, window.accepts});
    work.next += count;
    window.in_use += count;
    enqueue_work(work);
  }
  if (!to_mark.empty())
    mark(std::move(to_mark));
}

void sender_actor::take_answers(const answers& arrived) {
  const auto now = clock_.now();
  const auto verdicts = judge(arrived);
  auto judged = verdicts.begin();
  std::set<destination> freed;
  for (const auto& batch : arrived.batches) {
    const auto count = batch.accepted.size() + batch.others.size();
    auto& window = window_of(batch.of->dest);
    const auto found = works_.find(batch.of.get());
    if (found == works_.end()) { // dropped: its lease is another's
      window.in_use -= std::min(window.in_use, count);
      judged += static_cast<std::ptrdiff_t>(batch.others.size());
      freed.insert(batch.of->dest);
      continue;
    }
    outcome_batch outcomes{batch.of, batch.accepted, {}, now};
    outcomes.others.reserve(batch.others.size());
    for (const auto& each : batch.others) {
      const auto& verdict = *judged++;
      outcomes.others.push_back(is_withdrawn(each)
                                  ? not_sent(found->second, each.position, now)
                                  : decide_on(verdict, *batch.of, each.position, now, window));
    }
    window.awaiting_commit += count;
    const auto full = window.limit == 0 ? options_.window : window.limit;
    report(std::move(outcomes), count, window.awaiting_commit * 2 >= full);
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
  for (auto& [key, work] : works_) {
    if (key->key.job != stop.job)
      continue;
    work.stopped = status;
    work.stop_reason = stop.reason;
    withdraw(work);
    settle_rest(work, status, stop.reason);
  }
}

void sender_actor::drop(const std::vector<work_ptr>& works) {
  for (const auto& of : works) {
    if (const auto found = works_.find(of.get()); found != works_.end())
      withdraw(found->second);
    leave(of.get());
  }
}

void sender_actor::leave(const work* of) {
  const auto found = works_.find(of);
  if (found == works_.end())
    return;
  const auto kept = found->second.of; // the key of the map points into it
  const auto left = of->size() - found->second.committed;
  erase(of);
  window_of(of->dest).held -= left;
  return_credit(of->dest, left);
  tell_if_idle(of->dest);
}

// Out of its ring too: another work may come to lie at the same address.
void sender_actor::erase(const work* of) {
  const auto found = works_.find(of);
  if (found->second.queued)
    std::erase(window_of(of->dest).ring, of);
  works_.erase(found);
}

void sender_actor::extend(const extend_leases& extension) {
  for (const auto& of : extension.works) {
    const auto found = works_.find(of.get());
    if (found == works_.end()) {
      returned_[extension.master].works.push_back(of); // its master missed that once
      continue;
    }
    found->second.lease_deadline = extension.deadline;
    enqueue_work(found->second);
    pump(of->dest);
  }
  send_returned();
}

void sender_actor::report(outcome_batch batch, std::size_t slots, bool pressing) {
  const auto rejected = std::count_if(batch.others.begin(), batch.others.end(), [](auto& each) {
    return each.status == outcome_status::rejected;
  });
  const auto settled = batch.accepted.size() + static_cast<std::size_t>(rejected);
  draft_.parts.push_back({batch.of, batch.size(), slots, slots > 0 ? settled : 0});
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
  struct change {
    std::size_t targets = 0;
    std::size_t settled = 0;
  };
  std::map<std::size_t, works_finished> finished;
  std::map<destination, change> freed;
  while (!unacknowledged_.empty() && unacknowledged_.front().report.number <= number) {
    for (const auto& part : unacknowledged_.front().parts) {
      auto& window = window_of(part.of->dest);
      window.in_use -= std::min(window.in_use, part.slots);
      window.awaiting_commit -= std::min(window.awaiting_commit, part.slots);
      auto& room = freed[part.of->dest];
      room.settled += part.settled;
      const auto found = works_.find(part.of.get());
      if (found == works_.end())
        continue;
      auto& work = found->second;
      work.committed += part.outcomes;
      window.held -= part.outcomes;
      room.targets += part.outcomes;
      if (work.committed == work.of->size()) {
        finished[work.master].works.push_back(work.of);
        erase(found->first);
      } else {
        finish_return(found->first);
      }
    }
    unacknowledged_.pop_front();
  }
  for (auto& [master, message] : finished)
    if (master < masters_.size())
      send_urgent(this, masters_[master], std::move(message));
  send_returned();
  send_refunds();
  for (const auto& [dest, change] : freed) {
    return_credit(dest, change.targets);
    if (change.settled > 0 && window_of(dest).state == breaker_state::ramping) {
      destination_report progress{options_.index, dest};
      progress.committed = change.settled;
      send_urgent(this, room_, std::move(progress));
    }
    tell_if_idle(dest);
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
