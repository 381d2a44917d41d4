#pragma once

#include "actors/bounded.hpp"
#include "messages/protocol.hpp"

#include <caf/typed_event_based_actor.hpp>
#include <caf/typed_response_promise.hpp>

#include <deque>
#include <memory>
#include <string>

namespace signalbox {

/// A lane's door. Jobs that the committer has no credit for wait here and keep their places in the
/// mailbox, so that the mailbox's capacity bounds what the lane has taken in but not committed.
class ingest_actor : public bounded<ingest::base> {
public:
  /// `credit`: how many jobs may be on their way to the committer at once.
  ingest_actor(caf::actor_config& cfg, std::shared_ptr<mailbox_stats> mailbox, std::string lane,
               std::size_t credit);

  behavior_type make_behavior() override;
  void on_exit() override;

private:
  std::int64_t places_of(const caf::mailbox_element& element) const override;
  void accept(accept_jobs& arrived);
  void change_peers(const lane_peers& peers);
  void pump();
  void finish_drain();

  std::string lane_;
  std::size_t full_credit_;
  std::size_t credit_;
  committer group_;
  std::deque<accept_job> waiting_;
  bool draining_ = false;
  caf::typed_response_promise<drained> drain_promise_;
};

} // namespace signalbox
