#pragma once

#include "messages/ids.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace signalbox::http {

/// Reads an RFC 3339 `date-time` of the years 1970 to 9999, e.g. `2026-01-31T12:00:00.5+02:00`.
/// Fractions below a millisecond are cut off; a leap second counts as the second after it.
std::optional<timestamp> parse_rfc3339(std::string_view text);

/// `time` in UTC with milliseconds, e.g. `2026-01-31T10:00:00.500Z`.
std::string format_rfc3339(timestamp time);

} // namespace signalbox::http
