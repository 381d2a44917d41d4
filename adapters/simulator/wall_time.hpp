#pragma once

#include <chrono>
#include <cstdint>

namespace signalbox::sim {

/// Since the epoch, by the clock that clients sign their tokens with. (`std::time` lags behind it
/// by up to a tick: a token of this second would be from the future.)
inline std::int64_t wall_time_ms() {
  using namespace std::chrono;
  return floor<milliseconds>(system_clock::now()).time_since_epoch().count();
}
inline std::int64_t wall_time_s() {
  using namespace std::chrono;
  return floor<seconds>(system_clock::now()).time_since_epoch().count();
}

} // namespace signalbox::sim
