#include "actors/planner.hpp"

#include <spdlog/spdlog.h>

#include <utility>

namespace signalbox {

planner_actor::planner_actor(caf::actor_config& cfg, std::shared_ptr<mailbox_stats> mailbox,
                             job_store& store, planner_options options)
  : bounded(cfg, std::move(mailbox)), store_(store), options_(std::move(options)) {}

planner_actor::behavior_type planner_actor::make_behavior() {
  return {
    [this](const work_hint&) {
      hinted_ = true;
      step();
    },
    [this](const planned& answer) { finish(answer.outcome); },
    [this](const tick&) {
      resting_ = false;
      step();
    },
    [this](const peers_changed& change) {
      masters_ = change.peers->masters;
      step();
    },
    [this](const drain&) {
      draining_ = true;
      drain_promise_ = make_response_promise<drained>();
      if (!busy_)
        drain_promise_.deliver(drained{});
      return drain_promise_;
    },
  };
}

void planner_actor::on_exit() {
  masters_.clear();
}

void planner_actor::step() {
  if (busy_ || resting_ || !hinted_ || draining_)
    return;
  busy_ = true;
  hinted_ = false;
  store_.plan(options_.lane, options_.chunk_size,
              [self = planner{this}](result<plan_result> outcome) {
                anon_send_urgent(self, planned{std::move(outcome)});
              });
}

void planner_actor::finish(const result<plan_result>& outcome) {
  busy_ = false;
  if (draining_) {
    drain_promise_.deliver(drained{});
    return;
  }
  if (!outcome.ok()) {
    spdlog::warn("event=plan_failed lane={} code={} error={:?}", options_.lane,
                 to_string(outcome.code), outcome.message);
    hinted_ = true;
    resting_ = true;
    delayed_send<caf::message_priority::high>(planner{this}, options_.retry_delay, tick{});
    return;
  }
  for (const auto& job : outcome.value.superseded)
    for (const auto& each : masters_)
      send_urgent(this, each, job_stopped{job, "superseded"});
  if (outcome.value.chunks > 0)
    for (const auto& each : masters_)
      send_urgent(this, each, work_hint{});
  hinted_ = hinted_ || outcome.value.more;
  step();
}

} // namespace signalbox
