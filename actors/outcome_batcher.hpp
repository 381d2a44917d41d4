#pragma once

#include "actors/batcher.hpp"
#include "actors/bounded.hpp"
#include "actors/lane_board.hpp"
#include "actors/ports/clock.hpp"
#include "actors/ports/job_store.hpp"
#include "actors/token_guard.hpp"
#include "messages/protocol.hpp"

#include <caf/result.hpp>
#include <caf/typed_event_based_actor.hpp>
#include <caf/typed_response_promise.hpp>

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <unordered_set>
#include <vector>

namespace signalbox {

struct outcome_batcher_options {
  std::string lane;
  std::size_t flush_size = 1'000;
  std::chrono::milliseconds flush_interval{20};
  std::chrono::milliseconds retry_min{50}; ///< wait after a failed flush, doubled up to retry_max
  std::chrono::milliseconds retry_max{2'000};
};

/// Makes outcomes durable: one transaction a flush, at size, at interval, or at once when the
/// writer is idle and a sender says that half of a window awaits its commit. One flush is under way
/// at a time; a failed one is repeated until it succeeds. Reports that come while a whole batch
/// waits are left in the mailbox, and windows that stay taken hold back the senders. After the
/// commit: credit to the senders, then completions.
class outcome_batcher_actor : public bounded<outcome_batcher::base> {
public:
  outcome_batcher_actor(caf::actor_config& cfg, std::shared_ptr<mailbox_stats> mailbox,
                        job_store& store, const wall_clock& clock,
                        std::shared_ptr<token_guard> guard, std::shared_ptr<lane_counters> counters,
                        outcome_batcher_options options);

  behavior_type make_behavior() override;
  void on_exit() override;

private:
  caf::result<void> take(report_outcomes& report);
  void count_flushed();
  void watch_storms();
  guard_time now() const { return {clock_.now(), clock_.boot_now()}; }
  void flush_if_due();
  void finish_flush(const result<flush_result>& outcome);
  void complete();
  void finish_drain();
  void wake_at(boot_clock::time_point due);

  job_store& store_;
  const wall_clock& clock_;
  std::shared_ptr<token_guard> guard_;
  std::shared_ptr<lane_counters> counters_;
  outcome_batcher_options options_;
  planner plan_;
  broadcaster events_;
  batcher<report_outcomes> reports_;
  std::vector<report_outcomes> flushing_;
  std::optional<boot_clock::time_point> wakes_at_; ///< a timer is under way
  bool watching_storms_ = false;                   ///< a timer for it is under way
  std::unordered_set<job_id> to_complete_;
  bool completing_ = false;
  bool draining_ = false;
  caf::typed_response_promise<drained> drain_promise_;
};

} // namespace signalbox
