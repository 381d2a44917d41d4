#include "actors/credit.hpp"

#include <utility>

namespace signalbox {

credit_actor::credit_actor(caf::actor_config& cfg, std::shared_ptr<mailbox_stats> mailbox,
                           std::size_t capacity)
  : bounded(cfg, std::move(mailbox)), ledger_(capacity) {}

credit_actor::behavior_type credit_actor::make_behavior() {
  return {
    [this](credit_request& request) {
      const auto master = request.master;
      waiting_[master] = std::move(request);
      serve();
    },
    [this](const credit_return& returned) {
      give_back(returned.shares);
      serve();
    },
    [this](const open_destinations& seen) {
      for (const auto& dest : seen.destinations)
        ledger_.open(dest);
      serve();
    },
    [this](const credit_used& used) {
      for (const auto& share : used.shares)
        ledger_.set_used(share);
    },
    [this](const peers_changed& change) { change_peers(change.peers); },
  };
}

void credit_actor::on_exit() {
  peers_ = nullptr;
}

void credit_actor::serve() {
  if (!peers_)
    return;
  const auto count = waiting_.size();
  for (auto [i, last_tried] = std::pair{std::size_t{0}, last_served_}; i < count; ++i) {
    auto next = waiting_.upper_bound(last_tried);
    if (next == waiting_.end())
      next = waiting_.begin();
    last_tried = next->first;
    auto& request = next->second;
    const auto masters = peers_->masters.size();
    shares granted;
    if (!request.urgent.empty())
      granted = ledger_.reserve(request.urgent, true, masters);
    bool claim = false;
    if (request.claim) {
      auto more = ledger_.reserve(request.wanted, false, masters);
      // Only a claim shows which destinations there are: with none known yet, it goes without a
      // budget.
      claim = !more.empty() || ledger_.empty();
      granted.insert(granted.end(), more.begin(), more.end());
    }
    if (granted.empty() && !claim)
      continue;
    last_served_ = next->first;
    waiting_.erase(next);
    grant(last_served_, std::move(granted), claim);
  }
}

void credit_actor::grant(std::size_t master, shares granted, bool claim) {
  const auto& to = peers_->masters.at(master);
  if (!to) {
    give_back(granted);
    return;
  }
  // Asked for an answer, so that room which a dying master never took comes back.
  request<caf::message_priority::high>(to, caf::infinite, credit_grant{granted, claim})
    .then([] {},
          [this, granted](const caf::error&) {
            give_back(granted);
            serve();
          });
}

void credit_actor::give_back(const shares& room) {
  for (const auto& share : room)
    ledger_.give_back(share);
}

void credit_actor::change_peers(std::shared_ptr<const lane_peers> peers) {
  std::vector<std::optional<platform>> platforms(peers->senders.size());
  for (std::size_t i = 0; i < platforms.size(); ++i)
    if (peers->senders[i])
      platforms[i] = peers->sender_platforms[i];
  ledger_.set_senders(std::move(platforms));
  if (peers_)
    for (std::size_t i = 0; i < peers->senders.size(); ++i)
      if (i >= peers_->senders.size() || peers->senders[i] != peers_->senders[i])
        ledger_.clear_sender(i);
  peers_ = std::move(peers);
  serve();
}

} // namespace signalbox
