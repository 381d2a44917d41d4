#pragma once

#include "actors/bounded.hpp"
#include "actors/ports/job_store.hpp"
#include "messages/protocol.hpp"

#include <caf/typed_event_based_actor.hpp>
#include <caf/typed_response_promise.hpp>

#include <chrono>
#include <memory>
#include <string>

namespace signalbox {

struct sweeper_options {
  std::string lane;
  std::chrono::milliseconds interval{500};
  std::size_t limit = 1'000;
};

/// Looks, at every interval, for what time has made due or a crash left behind, and hints at it to
/// planner and masters. Also at once when it starts, which is how a restarted node picks up its
/// work.
class sweeper_actor : public bounded<sweeper::base> {
public:
  sweeper_actor(caf::actor_config& cfg, std::shared_ptr<mailbox_stats> mailbox, job_store& store,
                sweeper_options options);

  behavior_type make_behavior() override;
  void on_exit() override;

private:
  void sweep();
  void finish(const result<sweep_result>& outcome);

  job_store& store_;
  sweeper_options options_;
  std::shared_ptr<const lane_peers> peers_;
  bool busy_ = false;
  bool draining_ = false;
  caf::typed_response_promise<drained> drain_promise_;
};

} // namespace signalbox
