#include "actors/sweeper.hpp"

#include <spdlog/spdlog.h>

#include <utility>

namespace signalbox {

sweeper_actor::sweeper_actor(caf::actor_config& cfg, std::shared_ptr<mailbox_stats> mailbox,
                             job_store& store, sweeper_options options)
  : bounded(cfg, std::move(mailbox)), store_(store), options_(std::move(options)) {}

sweeper_actor::behavior_type sweeper_actor::make_behavior() {
  delayed_send<caf::message_priority::high>(sweeper{this}, options_.interval, tick{});
  return {
    [this](const swept& answer) { finish(answer.outcome); },
    [this](const tick&) {
      delayed_send<caf::message_priority::high>(sweeper{this}, options_.interval, tick{});
      sweep();
    },
    [this](const peers_changed& change) {
      const bool first = !peers_;
      peers_ = change.peers;
      if (first)
        sweep();
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

void sweeper_actor::on_exit() {
  peers_ = nullptr;
}

void sweeper_actor::sweep() {
  if (busy_ || draining_ || !peers_)
    return;
  busy_ = true;
  store_.sweep({options_.lane, options_.limit},
               [self = sweeper{this}](result<sweep_result> outcome) {
                 anon_send_urgent(self, swept{std::move(outcome)});
               });
}

void sweeper_actor::finish(const result<sweep_result>& outcome) {
  busy_ = false;
  if (draining_) {
    drain_promise_.deliver(drained{});
    return;
  }
  if (!outcome.ok()) {
    spdlog::warn("event=sweep_failed lane={} code={} error=\"{}\"", options_.lane,
                 to_string(outcome.code), outcome.message);
    return;
  }
  if (outcome.value.plan_due)
    send_urgent(this, peers_->plan, work_hint{});
  if (outcome.value.work_due)
    for (const auto& each : peers_->masters)
      send_urgent(this, each, work_hint{});
  if (outcome.value.skipped >= options_.limit)
    sweep(); // a large job ended: the rest of its account closes pass by pass, not tick by tick
}

} // namespace signalbox
