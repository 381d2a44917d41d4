#include "actors/restart_policy.hpp"

#include <algorithm>

namespace signalbox {

std::optional<std::chrono::milliseconds> restart_policy::crashed(boot_clock::time_point now) {
  while (!crashes_.empty() && now - crashes_.front() > rules_.window)
    crashes_.pop_front();
  crashes_.push_back(now);
  if (crashes_.size() > rules_.max_restarts)
    return std::nullopt;
  auto wait = rules_.backoff_min;
  for (std::size_t i = 1; i < crashes_.size() && wait < rules_.backoff_max; ++i)
    wait *= 2;
  return std::min(wait, rules_.backoff_max);
}

} // namespace signalbox
