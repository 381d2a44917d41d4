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
      for (const auto& share : returned.shares)
        ledger_.give_back(share);
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
  for (std::size_t i = 0; i < count; ++i) {
    auto next = waiting_.upper_bound(last_served_);
    if (next == waiting_.end())
      next = waiting_.begin();
    last_served_ = next->first;
    auto& request = next->second;
    auto shares = ledger_.reserve(request.wanted, request.urgent, peers_->masters.size());
    // Only a claim shows which destinations there are: with none known yet, it goes without a
    // budget.
    if (shares.empty() && !ledger_.empty())
      continue;
    const auto& to = peers_->masters.at(request.master);
    waiting_.erase(next);
    if (to)
      send_urgent(this, to, credit_grant{std::move(shares)});
    else
      for (const auto& share : shares)
        ledger_.give_back(share);
  }
}

void credit_actor::change_peers(std::shared_ptr<const lane_peers> peers) {
  ledger_.set_senders(peers->sender_platforms);
  if (peers_)
    for (std::size_t i = 0; i < peers->senders.size(); ++i)
      if (i >= peers_->senders.size() || peers->senders[i] != peers_->senders[i])
        ledger_.clear_sender(i);
  peers_ = std::move(peers);
  serve();
}

} // namespace signalbox
