#include "adapters/store/sqlite/turn_waits.hpp"

#include <algorithm>

namespace signalbox::sqlite {

namespace {

constexpr std::size_t most_kept = 100'000;
constexpr int most_doublings = 10;

} // namespace

bool turn_waits::is_waiting(job_number job, timestamp now) const {
  std::lock_guard lock{mutex_};
  const auto known = jobs_.find(job);
  if (known == jobs_.end())
    return false;
  const auto& [activity, looked_at, looks] = known->second;
  const auto longest = next_look * (1 + jobs_.size() / look_at_once);
  const auto rest = std::min<std::chrono::milliseconds>(next_look * (1 << looks), longest);
  return now >= looked_at && now < looked_at + rest;
}

void turn_waits::wait(job_number job, const std::string& activity, timestamp now) {
  std::lock_guard lock{mutex_};
  if (jobs_.size() >= most_kept) {
    jobs_.clear();
    by_activity_.clear();
  }
  const auto [known, is_new] = jobs_.try_emplace(job, place{activity, now, 0});
  if (!is_new) {
    known->second.looked_at = now;
    known->second.looks = std::min(known->second.looks + 1, most_doublings);
  }
  by_activity_[activity].insert(job);
}

void turn_waits::moved(const std::string& activity) {
  std::lock_guard lock{mutex_};
  const auto waiting = by_activity_.find(activity);
  if (waiting == by_activity_.end())
    return;
  for (const auto job : waiting->second)
    jobs_.erase(job);
  by_activity_.erase(waiting);
}

} // namespace signalbox::sqlite
