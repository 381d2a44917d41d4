#pragma once

#include "messages/breaker_state.hpp"
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

struct breaker_place {
  std::string lane; ///< empty: all of the node's (connection)
  destination dest;
  breaker_kind kind = breaker_kind::outage;
  std::string server = {}; ///< connection: the host and port that cannot be connected to
  auto operator<=>(const breaker_place&) const = default;
};

struct breaker_view {
  breaker_place place;
  breaker_state state = breaker_state::closed;
  std::string reason; ///< the provider's, of the answer that opened it; connection: the latest
  timestamp since;
  std::optional<timestamp> next_probe; ///< outage, configuration
};

/// What every breaker that is not closed says of itself, for the API, metrics and inspection.
/// Thread-safe.
class breaker_board {
public:
  /// A closed one is taken off the board.
  void put(breaker_view view);
  void clear(const std::string& lane);    ///< its breakers are gone: it was started anew
  std::vector<breaker_view> list() const; ///< by place

private:
  mutable std::mutex mutex_;
  std::map<breaker_place, breaker_view> views_;
};

} // namespace signalbox
