#include "actors/lane_supervisor.hpp"

#include "actors/credit.hpp"
#include "actors/ingest.hpp"
#include "actors/master.hpp"
#include "actors/planner.hpp"
#include "actors/sender.hpp"
#include "actors/sweeper.hpp"

#include <caf/exit_reason.hpp>
#include <spdlog/spdlog.h>

#include <utility>

namespace signalbox {

lane_supervisor_actor::lane_supervisor_actor(caf::actor_config& cfg, node_ports ports,
                                             lane_options options, node_supervisor parent)
  : lane_supervisor::base(cfg), ports_(ports), options_(std::move(options)),
    parent_(std::move(parent)),
    guard_(std::make_shared<token_guard>(options_.name, ports_.breakers)) {}

lane_supervisor_actor::behavior_type lane_supervisor_actor::make_behavior() {
  ports_.breakers.clear(options_.name);
  set_down_handler([this](caf::down_msg& down) { child_down(down); });
  add_children();
  for (std::size_t place = 0; place < children_.size(); ++place)
    start(place);
  publish();
  return {
    [this](const restart_child& restart) {
      if (draining_)
        return;
      start(restart.place);
      publish();
    },
    [this](const shared_changed& change) {
      group_ = change.group;
      events_ = change.events;
      publish();
    },
    [this](const drain_door&) {
      draining_ = true;
      auto promise = make_response_promise<drained>();
      drain_stages({{door_place}}, promise);
      return promise;
    },
    [this](const drain&) {
      draining_ = true;
      auto promise = make_response_promise<drained>();
      std::vector<std::size_t> masters;
      std::vector<std::size_t> senders;
      for (std::size_t place = masters_place; place < children_.size(); ++place)
        (place < masters_place + options_.masters ? masters : senders).push_back(place);
      drain_stages({{plan_place, sweep_place}, masters, senders, {outcomes_place}}, promise);
      return promise;
    },
  };
}

void lane_supervisor_actor::on_exit() {
  for (auto& each : children_)
    if (each.handle)
      send_exit(each.handle, caf::exit_reason::user_shutdown);
  children_.clear();
  group_ = nullptr;
  events_ = nullptr;
  parent_ = nullptr;
}

void lane_supervisor_actor::add(const std::string& stage, std::size_t instance,
                                std::int64_t capacity,
                                std::function<caf::actor(std::shared_ptr<mailbox_stats>)> spawn) {
  stage_place place{options_.name, stage, instance};
  auto start = [this, place, capacity, spawn = std::move(spawn)] {
    return spawn(ports_.directory.enter(place, capacity));
  };
  children_.push_back({place, std::move(start), restart_policy{options_.restarts}, {}});
}

void lane_supervisor_actor::add_children() {
  using mailbox = std::shared_ptr<mailbox_stats>;
  const auto& o = options_;
  add("ingest", 0, o.ingest_mailbox, [this](mailbox box) {
    return caf::actor_cast<caf::actor>(
      spawn<ingest_actor, caf::monitored>(box, options_.name, options_.commit_credit));
  });
  add("planner", 0, o.mailbox, [this](mailbox box) {
    return caf::actor_cast<caf::actor>(spawn<planner_actor, caf::monitored>(
      box, std::ref(ports_.store),
      planner_options{.lane = options_.name, .chunk_size = options_.chunk_size}));
  });
  add("credit", 0, o.mailbox, [this](mailbox box) {
    // Beyond its window, a sender has two chunks queued, so that it never waits for a claim.
    credit_options options;
    options.lane = options_.name;
    options.capacity = options_.window + 2 * options_.chunk_size;
    options.probe_targets = options_.chunk_size;
    options.breakers = options_.breakers;
    options.breakers.window = options_.window;
    options.seed = options_.seed();
    return caf::actor_cast<caf::actor>(spawn<credit_actor, caf::monitored>(
      box, std::cref(ports_.clock), std::ref(ports_.breakers), breakers_, options));
  });
  add("batcher", 0, o.mailbox, [this](mailbox box) {
    outcome_batcher_options options;
    options.lane = options_.name;
    options.flush_size = options_.flush_size;
    options.flush_interval = options_.flush_interval;
    return caf::actor_cast<caf::actor>(spawn<outcome_batcher_actor, caf::monitored>(
      box, std::ref(ports_.store), std::cref(ports_.clock), guard_,
      ports_.lanes.counters(options_.name), options));
  });
  add("sweeper", 0, o.mailbox, [this](mailbox box) {
    sweeper_options options;
    options.lane = options_.name;
    options.interval = options_.due_interval;
    options.keep_jobs = options_.keep_jobs;
    options.keep_failures = options_.keep_failures;
    return caf::actor_cast<caf::actor>(spawn<sweeper_actor, caf::monitored>(
      box, std::ref(ports_.store), std::cref(ports_.clock), std::ref(ports_.lanes), options));
  });
  for (std::size_t i = 0; i < o.masters; ++i) {
    ledgers_.push_back(std::make_shared<master_ledger>());
    add("master", i, o.mailbox, [this, i](mailbox box) {
      master_options options{options_.name, i, options_.claim_chunks, options_.lease};
      return caf::actor_cast<caf::actor>(spawn<master_actor, caf::monitored>(
        box, std::ref(ports_.store), std::cref(ports_.clock), ledgers_[i], options));
    });
  }
  for (std::size_t i = 0; i < o.senders * o.providers.size(); ++i)
    add("sender", i, o.mailbox, [this, i](mailbox box) {
      const auto& provider = options_.providers[i / options_.senders];
      sender_options options;
      options.lane = options_.name;
      options.index = i;
      options.window = options_.window;
      options.retries = options_.retries;
      options.seed = options_.seed();
      options.breaker_failures = options_.breakers.failures;
      options.classify = provider.classify;
      options.counters = ports_.lanes.counters(options_.name);
      return caf::actor_cast<caf::actor>(spawn<sender_actor, caf::monitored>(
        box, std::ref(ports_.store), provider.make_transport(), std::cref(ports_.clock), options));
    });
}

void lane_supervisor_actor::start(std::size_t place) {
  children_[place].handle = children_[place].start();
}

void lane_supervisor_actor::child_down(const caf::down_msg& down) {
  for (std::size_t place = 0; place < children_.size(); ++place) {
    auto& child = children_[place];
    if (!child.handle || child.handle.address() != down.source)
      continue;
    child.handle = nullptr;
    if (draining_)
      return;
    const auto wait = child.restarts.crashed(ports_.clock.boot_now());
    if (!wait) {
      spdlog::error("event=escalation lane={} stage={} instance={} reason={:?}", options_.name,
                    child.place.stage, child.place.instance, system().render(down.reason));
      quit(caf::exit_reason::unhandled_exception);
      return;
    }
    spdlog::error("event=actor_down lane={} stage={} instance={} restart_in_ms={} reason={:?}",
                  options_.name, child.place.stage, child.place.instance, wait->count(),
                  system().render(down.reason));
    delayed_send(lane_supervisor{this}, *wait, restart_child{place});
    publish();
    return;
  }
}

void lane_supervisor_actor::publish() {
  auto peers = std::make_shared<lane_peers>();
  peers->lane = options_.name;
  peers->door = caf::actor_cast<ingest>(children_[door_place].handle);
  peers->group = group_;
  peers->events = events_;
  peers->plan = caf::actor_cast<planner>(children_[plan_place].handle);
  peers->room = caf::actor_cast<credit>(children_[room_place].handle);
  peers->outcomes = caf::actor_cast<outcome_batcher>(children_[outcomes_place].handle);
  for (std::size_t i = 0; i < options_.masters; ++i)
    peers->masters.push_back(caf::actor_cast<master>(children_[masters_place + i].handle));
  for (std::size_t i = 0; i < options_.senders * options_.providers.size(); ++i) {
    const auto place = masters_place + options_.masters + i;
    peers->senders.push_back(caf::actor_cast<signalbox::sender>(children_[place].handle));
    peers->sender_platforms.push_back(options_.providers[i / options_.senders].provider);
  }
  const peers_changed change{std::move(peers)};
  for (const auto& each : children_)
    if (each.handle)
      anon_send_urgent(each.handle, change);
  ports_.door.update(change.peers);
  send_urgent(this, parent_, change);
}

void lane_supervisor_actor::drain_stages(std::vector<std::vector<std::size_t>> stages,
                                         caf::typed_response_promise<drained> promise) {
  if (stages.empty()) {
    promise.deliver(drained{});
    return;
  }
  auto left = std::make_shared<std::size_t>(0);
  auto rest =
    std::make_shared<std::vector<std::vector<std::size_t>>>(stages.begin() + 1, stages.end());
  auto next = [this, left, rest, promise]() mutable {
    if (--*left == 0)
      drain_stages(std::move(*rest), promise);
  };
  *left = 1;
  for (const auto place : stages.front()) {
    const auto& child = children_[place];
    if (!child.handle)
      continue;
    ++*left;
    // Without a limit of its own: the node supervisor keeps the one deadline of the stop.
    request<caf::message_priority::high>(child.handle, caf::infinite, drain{})
      .then([next](const drained&) mutable { next(); },
            [next, place = child.place](const caf::error&) mutable {
              spdlog::warn("event=drain_failed lane={} stage={} instance={}", place.lane,
                           place.stage, place.instance);
              next();
            });
  }
  next();
}

} // namespace signalbox
