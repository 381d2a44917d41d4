#pragma once

#include "messages/work.hpp"

#include <chrono>
#include <cstddef>
#include <deque>
#include <optional>

namespace signalbox {

struct restart_rules {
  std::chrono::milliseconds backoff_min{100};
  std::chrono::milliseconds backoff_max{10'000};
  std::size_t max_restarts = 10; ///< within `window`; one more escalates
  std::chrono::milliseconds window{60'000};
};

/// Decides, for one child, how long to wait before it is started again, or that it keeps crashing.
class restart_policy {
public:
  explicit restart_policy(restart_rules rules) : rules_(rules) {}

  /// The child died at `now`. Nothing: escalate. The wait doubles with each crash within the
  /// window.
  std::optional<std::chrono::milliseconds> crashed(boot_clock::time_point now);

private:
  restart_rules rules_;
  std::deque<boot_clock::time_point> crashes_;
};

} // namespace signalbox
