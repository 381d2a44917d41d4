// What a sender does when a destination is in trouble, a job is paused, or targets are to be marked
// before they are sent.

#include "actors/sender.hpp"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <utility>

namespace signalbox {

namespace {

// Until the store is asked again what it failed to do.
constexpr std::chrono::milliseconds store_retry{500};

bool is_blocked(breaker_state state) {
  return state == breaker_state::open || state == breaker_state::probing;
}

// The provider works, even if it did not take this one.
bool is_alive(const answer& from, const verdict& judged) {
  return from.kind == answer_kind::answered && judged.trouble == trouble::none && from.status < 500;
}

// Of so many refused targets of one message credit is told: enough to know those at fault again.
constexpr std::size_t most_refused = 256;

} // namespace

std::vector<verdict> sender_actor::judge(const answers& arrived) {
  std::vector<verdict> verdicts;
  for (const auto& batch : arrived.batches) {
    auto& window = window_of(batch.of->dest);
    window.answered = true;
    window.seen.success = window.seen.success || !batch.accepted.empty();
    window.seen.accepted = window.seen.accepted || !batch.accepted.empty();
    for (const auto& each : batch.others) {
      verdicts.push_back(is_withdrawn(each) ? verdict{} : options_.classify(each));
      if (!is_withdrawn(each))
        note(batch, each, verdicts.back(), window);
    }
  }
  for (const auto& batch : arrived.batches) {
    auto& window = window_of(batch.of->dest);
    if (std::exchange(window.answered, false))
      conclude(batch.of->dest, window);
  }
  return verdicts;
}

void sender_actor::note(const answer_batch& batch, const answer& from, verdict& judged,
                        window& in) {
  auto& seen = in.seen;
  seen.success = seen.success || is_alive(from, judged);
  seen.accepted = seen.accepted || judged.invalidate == invalidation::unregistered;
  switch (judged.trouble) {
  case trouble::none:
    return;
  case trouble::outage:
    if (from.provider_alive) {
      // One that was passed over, while others that left later were taken.
      judged.trouble = trouble::none;
      return;
    }
    ++seen.failures;
    if (seen.refused.empty() && !seen.misconfigured)
      seen.reason = judged.reason;
    return;
  case trouble::configuration:
    break;
  }
  seen.reason = judged.reason;
  if (judged.what == verdict::action::unsent) {
    seen.misconfigured = true;
  } else if (seen.refused.size() < most_refused) {
    const auto found = works_.find(batch.of.get());
    bool alone = false;
    if (found != works_.end())
      for (const auto& each : found->second.submissions)
        if (each.first <= from.position)
          alone = each.accepts == in.accepts;
    seen.refused.push_back({batch.of->targets[from.position].id, alone});
  }
}

void sender_actor::conclude(const destination& dest, window& of) {
  auto seen = std::exchange(of.seen, {});
  if (seen.accepted) {
    ++of.accepts;
    for (auto& each : seen.refused)
      each.alone = false;
  }
  destination_report news{options_.index, dest};
  news.success = seen.success && (of.watched || of.run.length() > 0);
  news.accepted =
    seen.accepted && (of.accept_watched || !of.refused.empty() || !seen.refused.empty());
  news.failures = seen.success ? 0 : seen.failures;
  news.refused = std::move(seen.refused);
  news.misconfigured = seen.misconfigured;
  news.reason = std::move(seen.reason);
  of.means = of.run.judge(seen.success, seen.failures, is_blocked(of.state));
  of.watched = of.watched && !seen.success;
  of.accept_watched = of.accept_watched && !seen.accepted;
  if (seen.accepted)
    of.refused.clear();
  const bool is_refused = !news.refused.empty() || news.misconfigured;
  if ((news.failures > 0 || is_refused) && of.state == breaker_state::probing)
    of.limit = 0; // that was the probe: whether it goes on is credit's to say
  if (news.success || news.accepted || news.failures > 0 || is_refused)
    send_urgent(this, room_, std::move(news));
}

outcome sender_actor::decide_on(const verdict& judged, const work& of, std::uint32_t position,
                                timestamp now, window& in) {
  std::uniform_real_distribution<double> jitter{0.0, 1.0};
  const auto& to = of.targets[position];
  const bool is_refused = judged.trouble == trouble::configuration;
  const auto means = is_refused && is_blocked(in.state) ? standing::down : in.means;
  auto decided = decide(options_.retries, judged, *of.job, to, now, jitter(random_), means);
  if (means == standing::working || decided.status != outcome_status::retry ||
      decided.attempts == to.attempts)
    return decided;
  if (judged.trouble == trouble::outage)
    in.run.remember({of.key.job, to.id});
  else if (is_refused && in.refused.size() < options_.window)
    in.refused.push_back({of.key.job, to.id});
  return decided;
}

void sender_actor::change_destination(const destination_changed& change) {
  auto& window = window_of(change.dest);
  window.state = change.state;
  window.limit = std::min(change.limit, options_.window);
  window.watched = change.watch;
  window.accept_watched = change.watch;
  if (change.success)
    window.run.succeed();
  if (change.accepted)
    window.refused.clear();
  if (window.limit > 0) {
    pump(change.dest);
    return;
  }
  if (change.state == breaker_state::open) {
    auto charged = window.run.take_charged();
    auto& waiting = refunds_[last_report_];
    waiting.insert(waiting.end(), charged.begin(), charged.end());
    const auto refused = std::exchange(window.refused, {});
    waiting.insert(waiting.end(), refused.begin(), refused.end());
    send_refunds();
  }
  window.ring.clear();
  std::vector<const work*> unsent;
  for (auto& [key, work] : works_)
    if (key->dest == change.dest) {
      work.queued = false;
      unsent.push_back(key);
    }
  for (const auto* of : unsent)
    return_work(of);
  send_returned();
}

void sender_actor::send_refunds() {
  const auto committed =
    unacknowledged_.empty() ? last_report_ : unacknowledged_.front().report.number - 1;
  std::vector<retry_ref> retries;
  while (!refunds_.empty() && refunds_.begin()->first <= committed) {
    auto& next = refunds_.begin()->second;
    retries.insert(retries.end(), next.begin(), next.end());
    refunds_.erase(refunds_.begin());
  }
  if (retries.empty())
    return;
  store_.refund(retries, [self = signalbox::sender{this}, retries](result<unit> outcome) {
    anon_send_urgent(self, refunded{retries, std::move(outcome)});
  });
}

void sender_actor::return_work(const work* of) {
  const auto found = works_.find(of);
  if (found == works_.end() || found->second.next >= of->targets.size())
    return; // all of it was submitted: its outcomes end it
  found->second.returning = true;
  finish_return(of);
}

void sender_actor::finish_return(const work* of) {
  const auto& work = works_.at(of);
  if (!work.returning || work.committed != of->settled.size() + work.next ||
      work.next >= of->targets.size())
    return;
  returned_[work.master].works.push_back(work.of);
  leave(of);
}

void sender_actor::send_returned() {
  for (auto& [place, message] : std::exchange(returned_, {}))
    if (place < masters_.size())
      send_urgent(this, masters_[place], std::move(message));
}

void sender_actor::tell_if_idle(const destination& dest) {
  const auto& window = window_of(dest);
  if (window.state != breaker_state::probing || window.limit == 0 || window.held > 0)
    return;
  destination_report idle{options_.index, dest};
  idle.idle = true;
  send_urgent(this, room_, std::move(idle));
}

void sender_actor::mark(std::vector<work_slice> slices) {
  std::vector<sent_mark> marks;
  for (const auto& slice : slices) {
    marks.push_back({slice.of, {}});
    for (std::uint32_t i = 0; i < slice.count; ++i)
      marks.back().positions.push_back(slice.first + i);
  }
  ++marking_;
  store_.mark_sent(std::move(marks), [self = signalbox::sender{this}, slices = std::move(slices)](
                                       result<std::vector<bool>> outcome) {
    anon_send_urgent(self, slices_marked{slices, std::move(outcome)});
  });
}

void sender_actor::take_marks(const slices_marked& answer) {
  --marking_;
  if (!answer.outcome.ok()) {
    spdlog::warn("event=marking_failed lane={} works={} error={:?}", options_.lane,
                 answer.slices.size(), answer.outcome.message);
    unmarked_.insert(unmarked_.end(), answer.slices.begin(), answer.slices.end());
    if (draining_)
      mark_again();
    else
      wake();
    return;
  }
  for (std::size_t i = 0; i < answer.slices.size(); ++i) {
    if (!answer.outcome.value[i])
      leave(answer.slices[i].of.get()); // its lease is another's
    submit_marked(answer.slices[i]);
  }
  send_returned();
}

void sender_actor::submit_marked(const work_slice& slice) {
  const auto found = works_.find(slice.of.get());
  if (found == works_.end()) {
    auto& window = window_of(slice.of->dest);
    window.in_use -= std::min<std::size_t>(window.in_use, slice.count);
    pump(slice.of->dest);
  } else if (may_submit(found->second)) {
    transport_->submit(slice.of, slice.first, slice.count);
  } else {
    put_back(slice);
  }
}

void sender_actor::mark_again() {
  std::vector<work_slice> again;
  for (const auto& slice : std::exchange(unmarked_, {})) {
    const auto found = works_.find(slice.of.get());
    if (found != works_.end() && may_submit(found->second))
      again.push_back(slice);
    else
      submit_marked(slice);
  }
  if (!again.empty())
    mark(std::move(again));
}

bool sender_actor::may_submit(const active& work) {
  return !draining_ && !work.returning && !work.stopped && window_of(work.of->dest).limit > 0 &&
         clock_.boot_now() < work.lease_deadline;
}

// Certainly not sent, whatever its mark says: it gets an outcome that takes the mark away.
outcome sender_actor::not_sent(const active& work, std::uint32_t position, timestamp now) const {
  const auto& to = work.of->targets[position];
  outcome back;
  back.token = to.id;
  back.index = to.index;
  back.status = work.stopped.value_or(outcome_status::retry);
  back.reason = work.stopped ? work.stop_reason : "not_sent";
  back.attempts = to.attempts;
  back.retry_at = now;
  return back;
}

// What was submitted may still wait for a stream.
void sender_actor::withdraw(const active& work) {
  if (work.next > 0)
    transport_->withdraw(work.of);
}

void sender_actor::put_back(const work_slice& slice) {
  const auto& work = works_.at(slice.of.get());
  outcome_batch batch{slice.of, {}, {}, clock_.now()};
  for (std::uint32_t i = 0; i < slice.count; ++i)
    batch.others.push_back(not_sent(work, slice.first + i, batch.at));
  window_of(slice.of->dest).awaiting_commit += slice.count;
  report(std::move(batch), slice.count, false);
}

void sender_actor::wake() {
  if (std::exchange(awake_, true))
    return;
  delayed_send<caf::message_priority::high>(signalbox::sender{this}, store_retry, tick{});
}

} // namespace signalbox
