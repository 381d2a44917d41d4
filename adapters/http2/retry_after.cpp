#include "adapters/http2/retry_after.hpp"

#include <algorithm>
#include <charconv>
#include <ctime>
#include <string>

namespace signalbox {

namespace {

constexpr std::int64_t longest_s = 24 * 60 * 60;

std::uint32_t clamp(std::int64_t seconds) {
  return static_cast<std::uint32_t>(std::clamp<std::int64_t>(seconds, 0, longest_s));
}

} // namespace

std::uint32_t parse_retry_after(std::string_view value, std::chrono::system_clock::time_point now) {
  if (value.empty())
    return 0;
  std::int64_t seconds = 0;
  const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), seconds);
  if (error == std::errc::result_out_of_range)
    return clamp(longest_s);
  if (error == std::errc{})
    return end == value.data() + value.size() ? clamp(seconds) : 0;
  std::tm date{};
  const std::string text{value};
  const auto* rest = strptime(text.c_str(), "%a, %d %b %Y %H:%M:%S GMT", &date);
  if (rest == nullptr || *rest != '\0')
    return 0;
  return clamp(timegm(&date) - std::chrono::system_clock::to_time_t(now));
}

} // namespace signalbox
