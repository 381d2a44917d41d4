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

} // namespace

std::vector<verdict> sender_actor::judge(const answers& arrived) {
  std::vector<verdict> verdicts;
  for (const auto& batch : arrived.batches) {
    auto& window = window_of(batch.of->dest);
    window.answered = true;
    auto& seen = window.seen;
    seen.success = seen.success || !batch.accepted.empty();
    for (const auto& each : batch.others) {
      if (is_withdrawn(each)) {
        verdicts.emplace_back();
        continue;
      }
      auto judged = options_.classify(each);
      if (judged.trouble == trouble::outage && each.provider_alive) {
        // One that was passed over, while others that left later were taken.
        judged.trouble = trouble::none;
      } else if (judged.trouble == trouble::outage) {
        ++seen.failures;
        seen.failure = judged.reason;
      } else if (judged.trouble == trouble::configuration) {
        seen.refusal = judged.reason;
      }
      seen.success = seen.success || is_alive(each, judged);
      verdicts.push_back(std::move(judged));
    }
  }
  for (const auto& batch : arrived.batches) {
    auto& window = window_of(batch.of->dest);
    if (std::exchange(window.answered, false))
      conclude(batch.of->dest, window);
  }
  return verdicts;
}

void sender_actor::conclude(const destination& dest, window& of) {
  const auto seen = std::exchange(of.seen, {});
  destination_report news{options_.index, dest};
  news.success = seen.success && (of.watched || of.run.length() > 0);
  news.failures = seen.success ? 0 : seen.failures;
  news.refused = seen.refusal.has_value();
  news.reason = seen.refusal.value_or(seen.failure);
  of.means = of.run.judge(seen.success, seen.failures, is_blocked(of.state));
  of.watched = of.watched && !seen.success;
  if (news.failures > 0 && of.state == breaker_state::probing)
    of.limit = 0; // that was the probe: the next one is another's
  if (news.success || news.failures > 0 || news.refused)
    send_urgent(this, room_, std::move(news));
}

outcome sender_actor::decide_on(const verdict& judged, const work& of, std::uint32_t position,
                                timestamp now, window& in) {
  std::uniform_real_distribution<double> jitter{0.0, 1.0};
  const auto& to = of.targets[position];
  auto decided = decide(options_.retries, judged, *of.job, to, now, jitter(random_), in.means);
  if (judged.trouble == trouble::outage && in.means != standing::working &&
      decided.status == outcome_status::retry && decided.attempts > to.attempts)
    in.run.remember({of.key.job, to.id});
  return decided;
}

void sender_actor::change_destination(const destination_changed& change) {
  auto& window = window_of(change.dest);
  window.state = change.state;
  window.limit = std::min(change.limit, options_.window);
  window.watched = change.watch;
  if (change.success)
    window.run.succeed();
  if (window.limit > 0) {
    pump(change.dest);
    return;
  }
  if (change.state == breaker_state::open) {
    auto charged = window.run.take_charged();
    auto& waiting = refunds_[last_report_];
    waiting.insert(waiting.end(), charged.begin(), charged.end());
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
