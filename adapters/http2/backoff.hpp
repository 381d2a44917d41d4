#pragma once

#include <chrono>
#include <cstdint>
#include <random>

namespace signalbox {

struct backoff_range {
  std::chrono::milliseconds least{200};
  std::chrono::milliseconds most{30'000};
};

/// Exponential backoff with full jitter: the n-th delay is evenly distributed between `least` and
/// the smaller of `most` and `least` * 2^n, so that clients which failed together do not come back
/// together. Not thread-safe.
class backoff {
public:
  explicit backoff(backoff_range range, std::uint64_t seed = std::random_device{}());

  std::chrono::milliseconds next();
  void reset() { failures_ = 0; }
  bool has_failed() const { return failures_ > 0; }

private:
  backoff_range range_;
  unsigned failures_ = 0;
  std::minstd_rand random_;
};

} // namespace signalbox
