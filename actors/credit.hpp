#pragma once

#include "actors/bounded.hpp"
#include "actors/credit_ledger.hpp"
#include "messages/protocol.hpp"

#include <caf/typed_event_based_actor.hpp>

#include <map>
#include <memory>
#include <vector>

namespace signalbox {

/// The one place of a lane where room at the senders is shared out, so that masters never promise
/// the same room twice. Requests that cannot be met wait here, in turn.
class credit_actor : public bounded<credit::base> {
public:
  credit_actor(caf::actor_config& cfg, std::shared_ptr<mailbox_stats> mailbox,
               std::size_t capacity);

  behavior_type make_behavior() override;
  void on_exit() override;

private:
  using shares = std::vector<credit_share>;

  void serve();
  void grant(std::size_t master, shares granted, bool claim);
  void give_back(const shares& room);
  void change_peers(std::shared_ptr<const lane_peers> peers);

  credit_ledger ledger_;
  std::shared_ptr<const lane_peers> peers_;
  std::map<std::size_t, credit_request> waiting_; ///< by master
  std::size_t last_served_ = 0;
};

} // namespace signalbox
