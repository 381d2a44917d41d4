#include "actors/sweeper.hpp"

#include <spdlog/spdlog.h>

#include <utility>

namespace signalbox {

sweeper_actor::sweeper_actor(caf::actor_config& cfg, std::shared_ptr<mailbox_stats> mailbox,
                             job_store& store, const wall_clock& clock, lane_board& board,
                             sweeper_options options)
  : bounded(cfg, std::move(mailbox)), store_(store), clock_(clock), board_(board),
    options_(std::move(options)) {}

sweeper_actor::behavior_type sweeper_actor::make_behavior() {
  delayed_send<caf::message_priority::high>(sweeper{this}, options_.interval, tick{});
  return {
    [this](const swept& answer) { finish(answer.outcome); },
    [this](const measured& answer) {
      measuring_ = false;
      board_.put(options_.lane,
                 answer.outcome.ok() ? std::optional{answer.outcome.value} : std::nullopt,
                 clock_.now());
    },
    [this](const tick&) {
      delayed_send<caf::message_priority::high>(sweeper{this}, options_.interval, tick{});
      look_for_overdue();
      sweep();
      measure();
    },
    [this](const peers_changed& change) {
      const bool first = !peers_;
      peers_ = change.peers;
      if (first) {
        sweep();
        measure();
      }
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
  overdue_ = false;
  asked_at_ = clock_.boot_now();
  store_.sweep({options_.lane, options_.limit, options_.keep_jobs, options_.keep_failures},
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
    spdlog::warn("event=sweep_failed lane={} code={} error={:?}", options_.lane,
                 to_string(outcome.code), outcome.message);
    return;
  }
  if (outcome.value.plan_due)
    send_urgent(this, peers_->plan, work_hint{});
  if (outcome.value.work_due)
    for (const auto& each : peers_->masters)
      send_urgent(this, each, work_hint{});
  const auto& did = outcome.value;
  if (did.faulty > 0)
    spdlog::error("event=faulty_rows lane={} count={}", options_.lane, did.faulty);
  if (did.more && did.released + did.completed + did.skipped + did.expired + did.deleted > 0)
    sweep(); // pass by pass, not tick by tick; one that gets nowhere waits for its tick
}

void sweeper_actor::look_for_overdue() {
  const auto since = clock_.boot_now() - asked_at_;
  if (!busy_ || overdue_ || since < options_.patience)
    return;
  overdue_ = true;
  spdlog::error("event=sweep_overdue lane={} waiting_ms={}", options_.lane,
                std::chrono::floor<std::chrono::milliseconds>(since).count());
}

void sweeper_actor::measure() {
  const auto now = clock_.boot_now();
  if (draining_)
    return;
  if (measuring_) { // what is on the board is no longer true
    if (now - *measured_at_ >= options_.patience)
      board_.put(options_.lane, std::nullopt, clock_.now());
    return;
  }
  if (measured_at_ && now - *measured_at_ < options_.measure_interval)
    return;
  measuring_ = true;
  measured_at_ = now;
  store_.measure(options_.lane, [self = sweeper{this}](result<backlog> outcome) {
    anon_send_urgent(self, measured{std::move(outcome)});
  });
}

} // namespace signalbox
