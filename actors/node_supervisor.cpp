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
  children_.resize(1 + options_.lanes.size(), child{restart_policy{options_.restarts}, {}});
  for (std::size_t place = 0; place < children_.size(); ++place)
    start(place);
  return {
    [this](const restart_child& restart) {
      if (is_needed(restart.place))
        start(restart.place);
    },
    [this](const peers_changed& change) { send_urgent(this, group(), change); },
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

committer node_supervisor_actor::group() const {
  return caf::actor_cast<committer>(children_[committer_place].handle);
}

void node_supervisor_actor::start(std::size_t place) {
  auto& child = children_[place];
  if (place != committer_place) {
    const auto lane = spawn<lane_supervisor_actor, caf::monitored>(
      ports_, options_.lanes[place - 1], node_supervisor{this});
    child.handle = caf::actor_cast<caf::actor>(lane);
    send(lane, committer_changed{group()});
    return;
  }
  child.handle = caf::actor_cast<caf::actor>(spawn<committer_actor, caf::monitored>(
    ports_.directory.enter({"", "committer", 0}, options_.committer_mailbox),
    std::ref(ports_.store), options_.commits));
  // Lanes answer with their peers, which are passed on to it.
  for (std::size_t lane = 1; lane < children_.size(); ++lane)
    if (children_[lane].handle)
      send(caf::actor_cast<lane_supervisor>(children_[lane].handle), committer_changed{group()});
}

void node_supervisor_actor::child_down(const caf::down_msg& down) {
  for (std::size_t place = 0; place < children_.size(); ++place) {
    auto& child = children_[place];
    if (!child.handle || child.handle.address() != down.source)
      continue;
    child.handle = nullptr;
    if (!is_needed(place))
      return;
    const auto what = place == committer_place ? std::string{"committer"}
                                               : "lane " + options_.lanes[place - 1].name;
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
  for (std::size_t place = 1; place < children_.size(); ++place)
    lanes.push_back(children_[place].handle);
  ask_all(lanes, drain_door{}, [this, lanes, promise] {
    doors_drained_ = true;
    ask_all({children_[committer_place].handle}, drain{}, [this, lanes, promise] {
      ask_all(lanes, drain{}, [promise]() mutable { promise.deliver(drained{}); });
    });
  });
}

} // namespace signalbox
