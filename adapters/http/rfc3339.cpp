#include "adapters/http/rfc3339.hpp"

#include <chrono>
#include <cstddef>
#include <cstdio>

namespace signalbox::http {

namespace {

/// Reads fixed places of a text and remembers whether all of them were right.
class scanner {
public:
  explicit scanner(std::string_view text) : rest_(text) {}

  int digits(std::size_t count) {
    int value = 0;
    for (std::size_t i = 0; i < count; ++i) {
      char c = next();
      ok_ = ok_ && c >= '0' && c <= '9';
      value = value * 10 + (c - '0');
    }
    return value;
  }

  char one_of(std::string_view set) {
    char c = next();
    ok_ = ok_ && c != '\0' && set.find(c) != set.npos;
    return c;
  }

  /// The digits after a decimal point, as milliseconds.
  int fraction() {
    if (rest_.empty() || rest_.front() != '.')
      return 0;
    rest_.remove_prefix(1);
    int value = 0;
    int scale = 100;
    std::size_t count = 0;
    for (; !rest_.empty() && rest_.front() >= '0' && rest_.front() <= '9'; ++count) {
      value += (rest_.front() - '0') * scale;
      scale /= 10;
      rest_.remove_prefix(1);
    }
    ok_ = ok_ && count > 0;
    return value;
  }

  bool complete() const { return ok_ && rest_.empty(); }

private:
  char next() {
    if (rest_.empty()) {
      ok_ = false;
      return '\0';
    }
    char c = rest_.front();
    rest_.remove_prefix(1);
    return c;
  }

  std::string_view rest_;
  bool ok_ = true;
};

} // namespace

std::optional<timestamp> parse_rfc3339(std::string_view text) {
  using namespace std::chrono;
  scanner in{text};
  auto y = in.digits(4);
  in.one_of("-");
  auto mo = in.digits(2);
  in.one_of("-");
  auto d = in.digits(2);
  in.one_of("Tt ");
  auto h = in.digits(2);
  in.one_of(":");
  auto mi = in.digits(2);
  in.one_of(":");
  auto s = in.digits(2);
  auto ms = in.fraction();
  auto zone = in.one_of("Zz+-");
  minutes offset{0};
  if (zone == '+' || zone == '-') {
    auto hours_off = in.digits(2);
    in.one_of(":");
    auto minutes_off = in.digits(2);
    if (hours_off > 23 || minutes_off > 59)
      return std::nullopt;
    offset = hours{hours_off} + minutes{minutes_off};
    if (zone == '-')
      offset = -offset;
  }
  auto date = year{y} / month{static_cast<unsigned>(mo)} / day{static_cast<unsigned>(d)};
  if (!in.complete() || y < 1970 || !date.ok() || h > 23 || mi > 59 || s > 60)
    return std::nullopt;
  return timestamp{sys_days{date} + hours{h} + minutes{mi} + seconds{s} + milliseconds{ms} -
                   offset};
}

std::string format_rfc3339(timestamp time) {
  using namespace std::chrono;
  auto days_part = floor<days>(time);
  year_month_day date{days_part};
  hh_mm_ss<milliseconds> clock{time - days_part};
  char out[64];
  auto size = std::snprintf(
    out, sizeof(out), "%04d-%02u-%02uT%02d:%02d:%02d.%03dZ", static_cast<int>(date.year()),
    static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
    static_cast<int>(clock.hours().count()), static_cast<int>(clock.minutes().count()),
    static_cast<int>(clock.seconds().count()), static_cast<int>(clock.subseconds().count()));
  return {out, static_cast<std::size_t>(size)};
}

} // namespace signalbox::http
