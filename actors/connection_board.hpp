#pragma once

#include "actors/breaker_board.hpp"
#include "actors/ports/clock.hpp"
#include "messages/connection_fault.hpp"
#include "messages/destination.hpp"

#include <array>
#include <atomic>
#include <chrono>
#include <compare>
#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace signalbox {

/// A host of a provider: that of its pushes, of its access tokens, or of its channels.
struct connection_place {
  destination dest;
  std::string server; ///< host:port
  auto operator<=>(const connection_place&) const = default;
};

/// Connections to one host that failed or were lost, by fault.
struct connection_failures {
  connection_place place;
  connection_fault fault = connection_fault::connect;
  std::int64_t count = 0;
};

/// What everybody who connects to a provider says of his connections, by host: logged, counted, and
/// shown on the breaker board for as long as none can be made. Stops nothing. Thread-safe; costs
/// nothing while connections work.
class connection_board {
public:
  /// Both outlive this.
  connection_board(breaker_board& shown, const wall_clock& clock) : shown_{shown}, clock_{clock} {}

  /// A connection ended before anything was answered on it. The first failure of a host is logged
  /// at once, with `why`, then one a minute with the number of those in between.
  void failed(const connection_place& at, connection_fault fault, std::string_view why);

  /// A connection that had worked was lost.
  void lost(const connection_place& at, connection_fault fault, std::string_view why);

  /// Something was answered: the host can be used (again).
  void answered(const connection_place& at);

  /// How often anything `failed`: as long as that has not changed, nobody need say `answered`
  /// again.
  std::int64_t failures() const { return failures_.load(std::memory_order_relaxed); }

  std::vector<connection_failures> list() const; ///< those above 0, by place

private:
  static constexpr auto faults = static_cast<std::size_t>(connection_fault::protocol) + 1;

  struct telling {
    std::optional<boot_clock::time_point> at;
    std::int64_t unlogged = 0; ///< since then
  };

  struct host {
    std::array<std::int64_t, faults> counts{};
    std::optional<timestamp> failing_since;
    std::int64_t failures = 0;     ///< since then
    bool is_known_to_fail = false; ///< by the log
    telling told_failure;
    telling told_loss;
  };

  bool log(const connection_place& at, telling& told, std::chrono::seconds interval,
           const char* event, connection_fault fault, std::string_view why);
  void show(const connection_place& at, const host& of, std::string_view why);

  breaker_board& shown_;
  const wall_clock& clock_;
  std::atomic<std::int64_t> failures_ = 0;
  mutable std::mutex mutex_;
  std::map<connection_place, host> hosts_;
};

} // namespace signalbox
