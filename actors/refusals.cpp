#include "actors/refusals.hpp"

#include <utility>

namespace signalbox {

namespace {

constexpr std::size_t most_targets = 4'096;
constexpr std::size_t most_reasons = 16;

} // namespace

bool refusals::add(const std::string& reason, const std::vector<refused_target>& targets) {
  for (const auto& each : targets) {
    if (at_fault_.contains(each.token))
      continue;
    if (lately_.size() < most_targets)
      lately_.push_back(each.token);
    if (!each.alone)
      continue;
    if (evidence_.size() == most_reasons && !evidence_.contains(reason))
      evidence_.clear();
    const auto [first, added] = evidence_.try_emplace(reason, each.token);
    if (first->second != each.token)
      return true;
  }
  return false;
}

void refusals::accepted() {
  for (const auto each : std::exchange(lately_, {}))
    blame(each);
  evidence_.clear();
}

void refusals::forget() {
  *this = {};
}

void refusals::blame(token_id target) {
  if (!at_fault_.insert(target).second)
    return;
  order_.push_back(target);
  if (order_.size() <= most_targets)
    return;
  at_fault_.erase(order_.front());
  order_.pop_front();
}

} // namespace signalbox
