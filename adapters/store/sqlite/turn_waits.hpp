#pragma once

#include "adapters/store/sqlite/job_cache.hpp"
#include "messages/ids.hpp"

#include <chrono>
#include <cstddef>
#include <mutex>
#include <string>
#include <unordered_map>
#include <unordered_set>

namespace signalbox::sqlite {

/// Dispatches that wait for their turn, so that planning need not look at each of them again and
/// again while one provider is slow and thousands of activities wait for it. Forgetting is always
/// safe: a look finds the same. Thread-safe.
class turn_waits {
public:
  /// So long one that has begun to wait is passed by, unless something of its activity has moved;
  /// twice as long after each look in vain, up to a time that is longer the more there are: so
  /// looking at them all costs a bounded share of the time, and those that wait for a provider's
  /// end of trouble do not hold up one that waits for a moment.
  static constexpr std::chrono::milliseconds next_look{100};
  static constexpr std::size_t look_at_once = 1'000;

  bool is_waiting(job_number job, timestamp now) const;
  void wait(job_number job, const std::string& activity, timestamp now);
  /// Outcomes of the activity were written.
  void moved(const std::string& activity);

private:
  struct place {
    std::string activity;
    timestamp looked_at;
    int looks = 0; ///< in vain, after the first
  };

  mutable std::mutex mutex_;
  std::unordered_map<job_number, place> jobs_;
  std::unordered_map<std::string, std::unordered_set<job_number>> by_activity_;
};

} // namespace signalbox::sqlite
