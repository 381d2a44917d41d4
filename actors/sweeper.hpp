#pragma once

#include "actors/bounded.hpp"
#include "actors/lane_board.hpp"
#include "actors/ports/clock.hpp"
#include "actors/ports/job_store.hpp"
#include "messages/protocol.hpp"

#include <caf/typed_event_based_actor.hpp>
#include <caf/typed_response_promise.hpp>

#include <chrono>
#include <memory>
#include <optional>
#include <string>

namespace signalbox {

struct sweeper_options {
  std::string lane;
  std::chrono::milliseconds interval{500};
  std::size_t limit = 1'000;
  std::chrono::hours keep_jobs{7 * 24};
  std::chrono::hours keep_failures{30 * 24};
  std::chrono::milliseconds patience{10'000};        ///< an answer that takes longer is logged
  std::chrono::milliseconds measure_interval{5'000}; ///< of the backlog
};

/// Looks, at every interval, for what time has made due or a crash left behind, and hints at it to
/// planner and masters. Also at once when it starts, which is how a restarted node picks up its
/// work, and again at once while a pass gets on and says that there is more. One pass at a time: a
/// store that does not answer is not asked again. Measures the lane's backlog for the board.
class sweeper_actor : public bounded<sweeper::base> {
public:
  sweeper_actor(caf::actor_config& cfg, std::shared_ptr<mailbox_stats> mailbox, job_store& store,
                const wall_clock& clock, lane_board& board, sweeper_options options);

  behavior_type make_behavior() override;
  void on_exit() override;

private:
  void sweep();
  void finish(const result<sweep_result>& outcome);
  void look_for_overdue();
  void measure();

  job_store& store_;
  const wall_clock& clock_;
  lane_board& board_;
  sweeper_options options_;
  std::shared_ptr<const lane_peers> peers_;
  bool busy_ = false;
  boot_clock::time_point asked_at_;
  bool overdue_ = false; ///< and that was logged
  bool measuring_ = false;
  std::optional<boot_clock::time_point> measured_at_;
  bool draining_ = false;
  caf::typed_response_promise<drained> drain_promise_;
};

} // namespace signalbox
