#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace signalbox {

/// SPEC 5, Breakers.
enum class breaker_kind : std::uint8_t {
  outage,        ///< the provider does not answer, or answers 5xx: nothing is sent but probes
  configuration, ///< the provider refuses the credentials: nothing is sent until it is reset
  token_storm,   ///< too many answers blame the token: tokens are not invalidated
  connection,    ///< a host cannot be connected to: shown, and closed by the first that can
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

} // namespace signalbox
