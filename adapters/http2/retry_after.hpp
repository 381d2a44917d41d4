#pragma once

#include <chrono>
#include <cstdint>
#include <string_view>

namespace signalbox {

/// The value of a Retry-After header in seconds from `now`: a number of seconds or an HTTP date
/// (RFC 9110, 10.2.3), at most a day. 0 when it is neither, or in the past.
std::uint32_t parse_retry_after(std::string_view value, std::chrono::system_clock::time_point now);

} // namespace signalbox
