#pragma once

#include "actors/bounded.hpp"
#include "actors/ports/job_store.hpp"
#include "messages/protocol.hpp"

#include <caf/typed_event_based_actor.hpp>
#include <caf/typed_response_promise.hpp>

#include <chrono>
#include <memory>
#include <string>
#include <vector>

namespace signalbox {

struct planner_options {
  std::string lane;
  std::size_t chunk_size = 1'000;
  std::chrono::milliseconds retry_delay{500}; ///< after a step that the store failed
};

/// Cuts the scopes of the lane's jobs into chunks, step by step, off the path of the 202. One step
/// is under way at a time; a hint that arrives meanwhile makes another one follow.
class planner_actor : public bounded<planner::base> {
public:
  planner_actor(caf::actor_config& cfg, std::shared_ptr<mailbox_stats> mailbox, job_store& store,
                planner_options options);

  behavior_type make_behavior() override;
  void on_exit() override;

private:
  void step();
  void finish(const result<plan_result>& outcome);

  job_store& store_;
  planner_options options_;
  std::vector<master> masters_;
  bool busy_ = false;
  bool hinted_ = true;   // a new planner looks for what a former one left
  bool resting_ = false; // the store failed, and the retry's time has not come
  bool draining_ = false;
  caf::typed_response_promise<drained> drain_promise_;
};

} // namespace signalbox
