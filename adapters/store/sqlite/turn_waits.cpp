#include "adapters/store/sqlite/turn_waits.hpp"

namespace signalbox::sqlite {

namespace {

constexpr std::size_t most_kept = 100'000;

} // namespace

bool turn_waits::is_waiting(job_number job, timestamp now) const {
  std::lock_guard lock{mutex_};
  const auto known = jobs_.find(job);
  const auto rest = next_look * (1 + jobs_.size() / look_at_once);
  return known != jobs_.end() && now >= known->second.looked_at &&
         now < known->second.looked_at + rest;
}

void turn_waits::wait(job_number job, const std::string& activity, timestamp now) {
  std::lock_guard lock{mutex_};
  if (jobs_.size() >= most_kept) {
    jobs_.clear();
    by_activity_.clear();
  }
  jobs_.insert_or_assign(job, place{activity, now});
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
