#include "actors/node_supervisor.hpp"

#include <caf/exit_reason.hpp>
#include <spdlog/spdlog.h>

#include <utility>

namespace signalbox {

node_supervisor_actor::node_supervisor_actor(caf::actor_config& cfg, node_ports ports,
                                             node_options options)
  : node_supervisor::base(cfg), ports_(ports), options_(std::move(options)) {}

node_supervisor_actor::behavior_type node_supervisor_actor::make_behavior() {
  set_down_handler([this](caf::down_msg& down) { child_down(down); });
  children_.resize(lanes_place + options_.lanes.size(),
                   child{restart_policy{options_.restarts}, {}});
  for (std::size_t place = 0; place < children_.size(); ++place)
    start(place);
  return {
    [this](const restart_child& restart) {
      if (is_needed(restart.place))
        start(restart.place);
    },
    [this](const peers_changed& change) { send_urgent(this, shared().group, change); },
    [this](const drain&) {
      stopping_ = true;
      auto promise = make_response_promise<drained>();
      stop(promise);
      return promise;
    },
  };
}

void node_supervisor_actor::on_exit() {
  for (auto& each : children_)
    if (each.handle)
      send_exit(each.handle, caf::exit_reason::user_shutdown);
  children_.clear();
}

shared_changed node_supervisor_actor::shared() const {
  return {caf::actor_cast<committer>(children_[committer_place].handle),
          caf::actor_cast<broadcaster>(children_[broadcaster_place].handle)};
}

std::string node_supervisor_actor::name_of(std::size_t place) const {
  switch (place) {
  case committer_place:
    return "committer";
  case broadcaster_place:
    return "broadcaster";
  default:
    return "lane " + options_.lanes[place - lanes_place].name;
  }
}

void node_supervisor_actor::start(std::size_t place) {
  auto& child = children_[place];
  if (place >= lanes_place) {
    const auto lane = spawn<lane_supervisor_actor, caf::monitored>(
      ports_, options_.lanes[place - lanes_place], node_supervisor{this});
    child.handle = caf::actor_cast<caf::actor>(lane);
    send(lane, shared());
    return;
  }
  child.handle = spawn_shared(place);
  ports_.door.update(shared().events);
  // Lanes answer with their peers, which are passed on to the committer.
  for (std::size_t lane = lanes_place; lane < children_.size(); ++lane)
    if (children_[lane].handle)
      send(caf::actor_cast<lane_supervisor>(children_[lane].handle), shared());
}

caf::actor node_supervisor_actor::spawn_shared(std::size_t place) {
  if (place == committer_place)
    return caf::actor_cast<caf::actor>(spawn<committer_actor, caf::monitored>(
      ports_.directory.enter({"", "committer", 0}, options_.committer_mailbox),
      std::ref(ports_.store), options_.commits));
  auto events = options_.events;
  events.run += "." + std::to_string(++broadcasters_); // its events are numbered anew
  return caf::actor_cast<caf::actor>(spawn<broadcaster_actor, caf::monitored>(
    ports_.directory.enter({"", "broadcaster", 0}, options_.broadcaster_mailbox),
    broadcaster_ports{ports_.changes, ports_.clock, ports_.directory, ports_.lanes,
                      ports_.breakers},
    std::move(events)));
}

void node_supervisor_actor::child_down(const caf::down_msg& down) {
  for (std::size_t place = 0; place < children_.size(); ++place) {
    auto& child = children_[place];
    if (!child.handle || child.handle.address() != down.source)
      continue;
    child.handle = nullptr;
    if (!is_needed(place))
      return;
    const auto what = name_of(place);
    const auto wait = child.restarts.crashed(ports_.clock.boot_now());
    if (!wait) {
      spdlog::critical("event=giving_up what={:?} reason={:?}", what, system().render(down.reason));
      options_.on_failure(what);
      return;
    }
    spdlog::error("event=actor_down what={:?} restart_in_ms={} reason={:?}", what, wait->count(),
                  system().render(down.reason));
    delayed_send(node_supervisor{this}, *wait, restart_child{place});
    return;
  }
}

// Until the lanes' doors are empty, what they took in needs a committer.
bool node_supervisor_actor::is_needed(std::size_t place) const {
  return !stopping_ || (place == committer_place && !doors_drained_);
}

template <class Message>
void node_supervisor_actor::ask_all(const std::vector<caf::actor>& whom, Message message,
                                    std::function<void()> then) {
  auto left = std::make_shared<std::size_t>(1);
  auto one_less = [left, then = std::move(then)] {
    if (--*left == 0)
      then();
  };
  for (const auto& each : whom) {
    if (!each)
      continue;
    ++*left;
    request<caf::message_priority::high>(each, caf::infinite, message)
      .then([one_less](const drained&) { one_less(); },
            [one_less](const caf::error&) { one_less(); });
  }
  one_less();
}

void node_supervisor_actor::stop(caf::typed_response_promise<drained> promise) {
  std::vector<caf::actor> lanes;
  for (std::size_t place = lanes_place; place < children_.size(); ++place)
    lanes.push_back(children_[place].handle);
  ask_all(lanes, drain_door{}, [this, lanes, promise] {
    doors_drained_ = true;
    ask_all({children_[committer_place].handle}, drain{}, [this, lanes, promise] {
      ask_all(lanes, drain{}, [this, promise] {
        // Last, so that who watches sees how it ended.
        ask_all({children_[broadcaster_place].handle}, drain{},
                [promise]() mutable { promise.deliver(drained{}); });
      });
    });
  });
}

} // namespace signalbox
