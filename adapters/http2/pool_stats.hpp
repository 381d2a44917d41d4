#pragma once

#include <atomic>
#include <cstdint>

namespace signalbox {

/// A counter with one writer, readable from any thread.
class stat_counter {
public:
  void add(std::int64_t amount) {
    value_.store(value_.load(std::memory_order_relaxed) + amount, std::memory_order_relaxed);
  }
  std::int64_t value() const { return value_.load(std::memory_order_relaxed); }

private:
  std::atomic<std::int64_t> value_{0};
};

/// What the connections of a transport have seen. Written on its I/O thread.
struct pool_stats {
  stat_counter connections;    ///< open now, draining ones included
  stat_counter streams;        ///< under way now
  stat_counter waiting;        ///< targets without a stream now
  stat_counter connects;       ///< handshakes that succeeded
  stat_counter connect_errors; ///< attempts that failed, and connections that were lost
  stat_counter goaways;        ///< received
  stat_counter resent;         ///< requests the protocol says were not processed
  stat_counter accepted;       ///< answers with status 200
  stat_counter refused;        ///< other answers
  stat_counter unsent;         ///< targets answered unsent
  stat_counter unknown;        ///< requests that were not answered
};

} // namespace signalbox
