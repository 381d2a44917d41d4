#pragma once

#include "actors/broadcaster.hpp"
#include "actors/committer.hpp"
#include "actors/lane_supervisor.hpp"
#include "messages/protocol.hpp"

#include <caf/system_messages.hpp>
#include <caf/typed_event_based_actor.hpp>
#include <caf/typed_response_promise.hpp>

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace signalbox {

struct node_options {
  committer_options commits;
  std::int64_t committer_mailbox = 4'096;
  broadcaster_options events;
  std::int64_t broadcaster_mailbox = 4'096;
  restart_rules restarts;
  std::vector<lane_options> lanes;
  /// Something keeps crashing, in spite of restarts: the process should end and be started anew.
  /// Called on a scheduler thread.
  std::function<void(const std::string& what)> on_failure;
};

/// The root: owns the committer, the broadcaster and the lanes. Its ordered stop: the lanes' doors,
/// the committer, then the lanes side by side, each from its upstream end, and the broadcaster. The
/// caller keeps the one deadline of it all.
class node_supervisor_actor : public node_supervisor::base {
public:
  node_supervisor_actor(caf::actor_config& cfg, node_ports ports, node_options options);

  behavior_type make_behavior() override;
  void on_exit() override;

private:
  enum first_place : std::size_t { committer_place, broadcaster_place, lanes_place };

  struct child {
    restart_policy restarts;
    caf::actor handle;
  };

  void start(std::size_t place);
  void child_down(const caf::down_msg& down);
  bool is_needed(std::size_t place) const;
  caf::actor spawn_shared(std::size_t place);
  shared_changed shared() const;
  std::string name_of(std::size_t place) const;
  void stop(caf::typed_response_promise<drained> promise);
  template <class Message>
  void ask_all(const std::vector<caf::actor>& whom, Message message, std::function<void()> then);

  node_ports ports_;
  node_options options_;
  std::vector<child> children_;    ///< by place
  std::uint64_t broadcasters_ = 0; ///< that were started
  bool stopping_ = false;
  bool doors_drained_ = false;
};

} // namespace signalbox
