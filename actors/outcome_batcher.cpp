#include "actors/outcome_batcher.hpp"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <map>
#include <unordered_map>
#include <utility>

namespace signalbox {

namespace {

// How late a storm that is over may leave the board.
constexpr std::chrono::seconds storm_watch{5};

// One batch for each work, the outcomes of each in the order they were reported in.
std::vector<outcome_batch> merged(const std::vector<report_outcomes>& reports) {
  std::vector<outcome_batch> batches;
  std::unordered_map<const work*, std::size_t> place;
  for (const auto& report : reports)
    for (const auto& batch : report.batches) {
      const auto [found, added] = place.try_emplace(batch.of.get(), batches.size());
      if (added) {
        batches.push_back(batch);
        continue;
      }
      auto& into = batches[found->second];
      into.accepted.insert(into.accepted.end(), batch.accepted.begin(), batch.accepted.end());
      into.others.insert(into.others.end(), batch.others.begin(), batch.others.end());
      into.late.insert(into.late.end(), batch.late.begin(), batch.late.end());
      into.at = batch.at;
    }
  return batches;
}

bool is_of_activities(const report_outcomes& report) {
  return std::any_of(report.batches.begin(), report.batches.end(), [](const outcome_batch& batch) {
    return batch.of->job->activity.has_value();
  });
}

std::size_t size_of(const report_outcomes& report) {
  std::size_t size = 0;
  for (const auto& batch : report.batches)
    size += batch.size();
  return size;
}

} // namespace

outcome_batcher_actor::outcome_batcher_actor(caf::actor_config& cfg,
                                             std::shared_ptr<mailbox_stats> mailbox,
                                             job_store& store, const wall_clock& clock,
                                             std::shared_ptr<token_guard> guard,
                                             std::shared_ptr<lane_counters> counters,
                                             outcome_batcher_options options)
  : bounded(cfg, std::move(mailbox)), store_(store), clock_(clock), guard_(std::move(guard)),
    counters_(std::move(counters)), options_(std::move(options)),
    reports_(
      {options_.flush_size, options_.flush_interval, options_.retry_min, options_.retry_max}) {}

outcome_batcher_actor::behavior_type outcome_batcher_actor::make_behavior() {
  return {
    [this](report_outcomes& report) { return take(report); },
    [this](const flushed& answer) { finish_flush(answer.outcome); },
    [this](const completed& answer) {
      completing_ = false;
      if (!answer.outcome.ok()) // the sweeper finds what was missed
        spdlog::warn("event=completion_failed lane={} jobs={} error={:?}", options_.lane,
                     answer.tried.size(), answer.outcome.message);
      else if (!answer.outcome.value.empty())
        send_urgent(this, events_, work_hint{});
      complete();
    },
    [this](const reset_breakers& which) {
      if (!which.kind || *which.kind == breaker_kind::token_storm)
        guard_->reset(which.dest, now());
      if (!which.kind || *which.kind == breaker_kind::configuration)
        guard_->prove_again(which.dest);
    },
    [this](const storm_tick&) {
      watching_storms_ = false;
      watch_storms();
    },
    [this](const tick&) {
      wakes_at_.reset();
      flush_if_due();
    },
    [this](const peers_changed& change) {
      plan_ = change.peers->plan;
      events_ = change.peers->events;
    },
    [this](const drain&) {
      draining_ = true;
      drain_promise_ = make_response_promise<drained>();
      reports_.close();
      flush_if_due();
      finish_drain();
      return drain_promise_;
    },
  };
}

void outcome_batcher_actor::on_exit() {
  reports_ = batcher<report_outcomes>{{}};
  flushing_.clear();
  plan_ = nullptr;
  events_ = nullptr;
}

caf::result<void> outcome_batcher_actor::take(report_outcomes& report) {
  if (!reports_.has_room())
    return caf::skip; // comes again after the next message that is taken, as a flush's answer is
  for (auto& batch : report.batches)
    guard_->judge(batch, now());
  const auto size = size_of(report);
  const bool pressing = report.pressing;
  reports_.add(std::move(report), clock_.boot_now(), size);
  if (pressing)
    reports_.press();
  watch_storms();
  flush_if_due();
  return caf::unit;
}

void outcome_batcher_actor::count_flushed() {
  std::array<std::uint64_t, std::tuple_size_v<decltype(lane_counters::outcomes)>> sums{};
  std::uint64_t dead_letters = 0;
  for (const auto& report : flushing_)
    for (const auto& batch : report.batches) {
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
  if (watching_storms_ || !guard_->refresh(now()))
    return;
  watching_storms_ = true;
  delayed_send<caf::message_priority::high>(outcome_batcher{this}, storm_watch, storm_tick{});
}

void outcome_batcher_actor::flush_if_due() {
  if (auto due = reports_.next(clock_.boot_now()); !due.empty()) {
    flushing_ = std::move(due);
    store_.flush(merged(flushing_), [self = outcome_batcher{this}](result<flush_result> outcome) {
      anon_send_urgent(self, flushed{std::move(outcome)});
    });
  } else if (const auto at = reports_.due_at()) {
    wake_at(*at);
  }
}

void outcome_batcher_actor::finish_flush(const result<flush_result>& outcome) {
  if (!outcome.ok()) {
    const auto failed = flushing_.size();
    const auto wait = reports_.failed(std::exchange(flushing_, {}), clock_.boot_now());
    spdlog::warn("event=flush_failed lane={} reports={} retry_in_ms={} code={} error={:?}",
                 options_.lane, failed, wait.count(), to_string(outcome.code), outcome.message);
    flush_if_due();
    return;
  }
  if (outcome.value.stale > 0)
    spdlog::warn("event=stale_outcomes lane={} count={}", options_.lane, outcome.value.stale);
  reports_.succeeded();
  count_flushed();
  std::map<caf::strong_actor_ptr, std::uint64_t> newest;
  bool has_dispatches = false;
  for (const auto& report : std::exchange(flushing_, {})) {
    newest[report.from] = std::max(newest[report.from], report.number);
    has_dispatches = has_dispatches || is_of_activities(report);
  }
  if (has_dispatches) // the turn of the next one may have come
    send_urgent(this, plan_, work_hint{});
  for (const auto& [from, number] : newest)
    send_urgent(this, caf::actor_cast<signalbox::sender>(from), reports_committed{number});
  if (!outcome.value.completed.empty())
    send_urgent(this, events_, work_hint{});
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
  if (draining_ && reports_.is_empty() && !completing_ && drain_promise_.pending())
    drain_promise_.deliver(drained{});
}

void outcome_batcher_actor::wake_at(boot_clock::time_point due) {
  if (wakes_at_ && *wakes_at_ <= due)
    return;
  wakes_at_ = due;
  delayed_send<caf::message_priority::high>(
    outcome_batcher{this}, std::max(due - clock_.boot_now(), boot_clock::duration::zero()), tick{});
}

} // namespace signalbox
