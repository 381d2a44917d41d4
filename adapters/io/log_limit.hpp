#pragma once

#include <atomic>
#include <chrono>

namespace signalbox {

/// Lets a line of the log through once a minute, however often its cause is met. Thread-safe.
class log_limit {
public:
  using clock = std::chrono::steady_clock;

  bool is_due(clock::time_point now = clock::now()) {
    auto last = last_.load();
    const bool due = last == never || now.time_since_epoch().count() - last >= interval.count();
    return due && last_.compare_exchange_strong(last, now.time_since_epoch().count());
  }

private:
  static constexpr clock::duration interval = std::chrono::minutes{1};
  static constexpr clock::rep never = clock::duration::min().count();

  std::atomic<clock::rep> last_{never};
};

} // namespace signalbox
