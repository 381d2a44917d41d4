#pragma once

#include <array>
#include <chrono>
#include <cstdint>

namespace signalbox {

/// The breaker that keeps a wrong key or environment from wiping the token base (SPEC 5): trips
/// while answers that blame the token make up more than max(100, 5 %) of the last 60 s of answers.
class token_storm {
public:
  using seconds = std::chrono::seconds;

  /// Counts answers of one destination. `now` is of a clock that never steps, such as the boot
  /// clock: windows on one that was ahead for a while would count what never leaves them.
  void count(seconds now, std::uint64_t answers, std::uint64_t bad_tokens);

  /// Whether one more answer that blames its token may not invalidate it.
  bool tripped(seconds now);

private:
  static constexpr std::size_t window = 60;
  struct bucket {
    std::uint64_t answers = 0;
    std::uint64_t bad_tokens = 0;
  };

  void move_to(seconds now);

  std::array<bucket, window> buckets_{};
  std::int64_t latest_ = 0;
  bucket sum_;
};

} // namespace signalbox
