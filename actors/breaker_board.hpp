#pragma once

#include "messages/destination.hpp"
#include "messages/ids.hpp"

#include <compare>
#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace signalbox {

/// SPEC 5, Breakers.
enum class breaker_kind : std::uint8_t {
  outage,        ///< the provider does not answer, or answers 5xx: nothing is sent but probes
  configuration, ///< the provider refuses the credentials: nothing is sent until it is reset
  token_storm,   ///< too many answers blame the token: tokens are not invalidated
};

enum class breaker_state : std::uint8_t {
  closed,
  open,
  probing, ///< one request is out to see
  ramping, ///< closed again, with a window that still grows
};

std::string_view to_string(breaker_kind value);
std::string_view to_string(breaker_state value);
std::optional<breaker_kind> parse_breaker_kind(std::string_view text);

struct breaker_place {
  std::string lane;
  destination dest;
  breaker_kind kind = breaker_kind::outage;
  auto operator<=>(const breaker_place&) const = default;
};

struct breaker_view {
  breaker_place place;
  breaker_state state = breaker_state::closed;
  std::string reason; ///< the provider's, of the answer that opened it
  timestamp since;
  std::optional<timestamp> next_probe; ///< outage
};

/// What every breaker that is not closed says of itself, for the API, metrics and inspection.
/// Thread-safe.
class breaker_board {
public:
  /// A closed one is taken off the board.
  void put(breaker_view view);
  std::vector<breaker_view> list() const; ///< by place

private:
  mutable std::mutex mutex_;
  std::map<breaker_place, breaker_view> views_;
};

} // namespace signalbox
