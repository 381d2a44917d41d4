#include "actors/credit_ledger.hpp"

#include <algorithm>

namespace signalbox {

credit_ledger::credit_ledger(std::size_t capacity)
  : capacity_(static_cast<std::int64_t>(capacity)) {}

void credit_ledger::set_senders(std::vector<std::optional<platform>> platforms) {
  platforms_ = std::move(platforms);
  for (auto& [dest, used] : used_)
    used.resize(platforms_.size());
}

void credit_ledger::open(const destination& dest) {
  used_.try_emplace(dest, platforms_.size(), 0);
}

std::vector<credit_share> credit_ledger::reserve(const std::vector<destination>& wanted,
                                                 bool urgent, std::size_t divisor) {
  std::vector<credit_share> shares;
  for (auto& [dest, used] : used_) {
    if (!wanted.empty() && std::find(wanted.begin(), wanted.end(), dest) == wanted.end())
      continue;
    const auto capacity = capacity_for(dest);
    const std::int64_t enough = urgent ? 1 : std::max<std::int64_t>(1, capacity / 4);
    const auto most = std::max<std::int64_t>(
      1, capacity / static_cast<std::int64_t>(std::max<std::size_t>(1, divisor)));
    for (std::size_t sender = 0; sender < used.size(); ++sender) {
      if (platforms_[sender] != dest.provider || used[sender] >= capacity)
        continue;
      const auto free = capacity - used[sender];
      if (free < enough)
        continue;
      const auto granted = std::min(free, most);
      used[sender] += granted;
      shares.push_back({sender, dest, granted});
    }
  }
  return shares;
}

void credit_ledger::set_limit(const destination& dest, std::size_t limit) {
  if (limit >= static_cast<std::size_t>(capacity_))
    limits_.erase(dest);
  else
    limits_[dest] = static_cast<std::int64_t>(limit);
}

std::int64_t credit_ledger::capacity_for(const destination& dest) const {
  const auto found = limits_.find(dest);
  return found == limits_.end() ? capacity_ : found->second;
}

std::optional<credit_share> credit_ledger::reserve_probe(const destination& dest,
                                                         std::size_t targets) {
  open(dest);
  auto& used = used_.at(dest);
  std::optional<std::size_t> best;
  for (std::size_t sender = 0; sender < used.size(); ++sender)
    if (platforms_[sender] == dest.provider && (!best || used[sender] < used[*best]))
      best = sender;
  if (!best)
    return std::nullopt;
  used[*best] += static_cast<std::int64_t>(targets);
  return credit_share{*best, dest, static_cast<std::int64_t>(targets), 0};
}

void credit_ledger::give_back(const credit_share& share) {
  const auto found = used_.find(share.dest);
  if (found == used_.end() || share.sender >= found->second.size())
    return;
  auto& used = found->second[share.sender];
  used = std::max<std::int64_t>(0, used - share.targets);
}

void credit_ledger::set_used(const credit_share& held) {
  open(held.dest);
  auto& used = used_[held.dest];
  if (held.sender < used.size())
    used[held.sender] = held.targets;
}

void credit_ledger::clear_sender(std::size_t sender) {
  for (auto& [dest, used] : used_)
    if (sender < used.size())
      used[sender] = 0;
}

std::int64_t credit_ledger::used(std::size_t sender, const destination& dest) const {
  const auto found = used_.find(dest);
  return found == used_.end() || sender >= found->second.size() ? 0 : found->second[sender];
}

} // namespace signalbox
