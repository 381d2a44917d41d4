#include "actors/outcome_batcher.hpp"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <utility>

namespace signalbox {

namespace {

// How late a storm that is over may leave the board.
constexpr std::chrono::seconds storm_watch{5};

} // namespace

outcome_batcher_actor::outcome_batcher_actor(caf::actor_config& cfg,
                                             std::shared_ptr<mailbox_stats> mailbox,
                                             job_store& store, const wall_clock& clock,
                                             std::shared_ptr<token_guard> guard,
                                             std::shared_ptr<lane_counters> counters,
                                             outcome_batcher_options options)
  : bounded(cfg, std::move(mailbox)), store_(store), clock_(clock), guard_(std::move(guard)),
    counters_(std::move(counters)), options_(std::move(options)) {}

outcome_batcher_actor::behavior_type outcome_batcher_actor::make_behavior() {
  return {
    [this](report_outcomes& report) { add(report); },
    [this](const flushed& answer) { finish_flush(answer.outcome); },
    [this](const completed& answer) {
      completing_ = false;
      if (!answer.outcome.ok()) // the sweeper finds what was missed
        spdlog::warn("event=completion_failed lane={} jobs={} error=\"{}\"", options_.lane,
                     answer.tried.size(), answer.outcome.message);
      complete();
    },
    [this](const reset_breakers& which) {
      if (!which.kind || *which.kind == breaker_kind::token_storm)
        guard_->reset(which.dest, clock_.now());
    },
    [this](const storm_tick&) {
      watching_storms_ = false;
      watch_storms();
    },
    [this](const tick&) {
      --timers_;
      if (!repeat_) {
        interval_over_ = true;
        flush_if_due();
      } else if (timers_ == 0) { // else this one is of an interval before the failure
        repeat_ = false;
        flush();
      }
    },
    [](const peers_changed&) {},
    [this](const drain&) {
      draining_ = true;
      drain_promise_ = make_response_promise<drained>();
      flush_if_due();
      finish_drain();
      return drain_promise_;
    },
  };
}

void outcome_batcher_actor::on_exit() {
  pending_reports_.clear();
  flushing_reports_.clear();
  pending_.clear();
  pending_at_.clear();
  flushing_.clear();
}

void outcome_batcher_actor::add(report_outcomes& report) {
  auto& newest = pending_reports_[report.from];
  newest = std::max(newest, report.number);
  for (auto& batch : report.batches) {
    guard_->judge(batch);
    pending_outcomes_ += batch.size();
    const auto [found, added] = pending_at_.try_emplace(batch.of.get(), pending_.size());
    if (added) {
      pending_.push_back(std::move(batch));
      continue;
    }
    auto& into = pending_[found->second];
    into.accepted.insert(into.accepted.end(), batch.accepted.begin(), batch.accepted.end());
    std::move(batch.others.begin(), batch.others.end(), std::back_inserter(into.others));
    into.at = batch.at;
  }
  pressing_ = pressing_ || report.pressing;
  watch_storms();
  flush_if_due();
}

void outcome_batcher_actor::count_flushed() {
  std::array<std::uint64_t, std::tuple_size_v<decltype(lane_counters::outcomes)>> sums{};
  std::uint64_t dead_letters = 0;
  for (const auto& batch : flushing_) {
    sums[static_cast<std::size_t>(outcome_status::accepted)] += batch.accepted.size();
    for (const auto& each : batch.others) {
      ++sums[static_cast<std::size_t>(each.status)];
      dead_letters += each.dead_letter;
    }
  }
  for (std::size_t i = 0; i < sums.size(); ++i)
    counters_->outcomes[i].fetch_add(sums[i], std::memory_order_relaxed);
  counters_->dead_letters.fetch_add(dead_letters, std::memory_order_relaxed);
}

void outcome_batcher_actor::watch_storms() {
  if (watching_storms_ || !guard_->refresh(clock_.now()))
    return;
  watching_storms_ = true;
  delayed_send<caf::message_priority::high>(outcome_batcher{this}, storm_watch, storm_tick{});
}

void outcome_batcher_actor::flush_if_due() {
  if (writing_ || pending_.empty())
    return;
  if (pending_outcomes_ >= options_.flush_size || pressing_ || interval_over_ || draining_ ||
      options_.flush_interval.count() == 0) {
    flushing_ = std::move(pending_);
    flushing_reports_ = std::move(pending_reports_);
    pending_.clear();
    pending_at_.clear();
    pending_reports_.clear();
    pending_outcomes_ = 0;
    pressing_ = false;
    interval_over_ = false;
    writing_ = true;
    flush();
  } else {
    wake_after(options_.flush_interval);
  }
}

void outcome_batcher_actor::flush() {
  store_.flush(flushing_, [self = outcome_batcher{this}](result<flush_result> outcome) {
    anon_send_urgent(self, flushed{std::move(outcome)});
  });
}

void outcome_batcher_actor::finish_flush(const result<flush_result>& outcome) {
  if (!outcome.ok()) {
    retry_delay_ = std::clamp(retry_delay_ * 2, options_.retry_min, options_.retry_max);
    spdlog::warn("event=flush_failed lane={} works={} retry_in_ms={} code={} error=\"{}\"",
                 options_.lane, flushing_.size(), retry_delay_.count(), to_string(outcome.code),
                 outcome.message);
    repeat_ = true;
    ++timers_;
    delayed_send<caf::message_priority::high>(outcome_batcher{this}, retry_delay_, tick{});
    return;
  }
  if (outcome.value.stale > 0)
    spdlog::warn("event=stale_outcomes lane={} count={}", options_.lane, outcome.value.stale);
  retry_delay_ = std::chrono::milliseconds{0};
  writing_ = false;
  count_flushed();
  flushing_.clear();
  for (const auto& [from, number] : flushing_reports_)
    send_urgent(this, caf::actor_cast<signalbox::sender>(from), reports_committed{number});
  flushing_reports_.clear();
  to_complete_.insert(outcome.value.finished_chunks_of.begin(),
                      outcome.value.finished_chunks_of.end());
  complete();
  flush_if_due();
  finish_drain();
}

void outcome_batcher_actor::complete() {
  if (completing_ || to_complete_.empty()) {
    finish_drain();
    return;
  }
  completing_ = true;
  std::vector<job_id> jobs(to_complete_.begin(), to_complete_.end());
  to_complete_.clear();
  store_.complete(jobs, [self = outcome_batcher{this}, jobs](result<std::vector<job_id>> outcome) {
    anon_send_urgent(self, completed{jobs, std::move(outcome)});
  });
}

void outcome_batcher_actor::finish_drain() {
  if (draining_ && !writing_ && pending_.empty() && !completing_ && drain_promise_.pending())
    drain_promise_.deliver(drained{});
}

void outcome_batcher_actor::wake_after(std::chrono::milliseconds delay) {
  if (timers_ > 0)
    return;
  ++timers_;
  delayed_send<caf::message_priority::high>(outcome_batcher{this}, delay, tick{});
}

} // namespace signalbox
