#pragma once

#include "actors/bounded.hpp"
#include "actors/lane_board.hpp"
#include "actors/ports/clock.hpp"
#include "actors/ports/job_store.hpp"
#include "actors/token_guard.hpp"
#include "messages/protocol.hpp"

#include <caf/typed_event_based_actor.hpp>
#include <caf/typed_response_promise.hpp>

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <unordered_map>
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
/// at a time; a failed one is repeated until it succeeds, while windows that stay taken hold back
/// the senders. After the commit: credit to the senders, then completions.
class outcome_batcher_actor : public bounded<outcome_batcher::base> {
public:
  outcome_batcher_actor(caf::actor_config& cfg, std::shared_ptr<mailbox_stats> mailbox,
                        job_store& store, const wall_clock& clock,
                        std::shared_ptr<token_guard> guard, std::shared_ptr<lane_counters> counters,
                        outcome_batcher_options options);

  behavior_type make_behavior() override;
  void on_exit() override;

private:
  void add(report_outcomes& report);
  void count_flushed();
  void watch_storms();
  void flush_if_due();
  void flush();
  void finish_flush(const result<flush_result>& outcome);
  void complete();
  void finish_drain();
  void wake_after(std::chrono::milliseconds delay);

  job_store& store_;
  const wall_clock& clock_;
  std::shared_ptr<token_guard> guard_;
  std::shared_ptr<lane_counters> counters_;
  outcome_batcher_options options_;
  std::vector<outcome_batch> pending_;                      ///< one for each work
  std::unordered_map<const work*, std::size_t> pending_at_; ///< place in pending_
  std::size_t pending_outcomes_ = 0;
  bool pressing_ = false;
  bool interval_over_ = false;
  std::size_t timers_ = 0;                                         ///< ticks under way
  std::map<caf::strong_actor_ptr, std::uint64_t> pending_reports_; ///< by sender: the newest
  std::vector<outcome_batch> flushing_;
  std::map<caf::strong_actor_ptr, std::uint64_t> flushing_reports_;
  bool writing_ = false;
  bool repeat_ = false; ///< flushing_ failed and waits for its retry
  std::chrono::milliseconds retry_delay_{0};
  bool watching_storms_ = false; ///< a timer for it is under way
  std::unordered_set<job_id> to_complete_;
  bool completing_ = false;
  bool draining_ = false;
  caf::typed_response_promise<drained> drain_promise_;
};

} // namespace signalbox
