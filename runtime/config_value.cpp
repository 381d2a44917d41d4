#include "runtime/config_value.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <limits>
#include <system_error>

namespace signalbox {

namespace {

struct unit {
  std::string_view name;
  std::int64_t nanoseconds;
};

constexpr std::array units{
  unit{"ns", 1},
  unit{"us", 1'000},
  unit{"ms", 1'000'000},
  unit{"s", 1'000'000'000},
  unit{"min", 60'000'000'000},
  unit{"h", 3'600'000'000'000},
};

const unit* find_unit(std::string_view name) {
  auto match = std::find_if(units.begin(), units.end(), [=](auto& x) { return x.name == name; });
  return match == units.end() ? nullptr : match;
}

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

constexpr auto max_integer = static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());

constexpr std::string_view not_a_number = "is not a number";
constexpr std::string_view too_large = "is too large";

/// Reads one word; `why_` tells what is wrong with it.
class word_reader {
public:
  explicit word_reader(std::string_view word) : word_(word), digits_(word) {}

  std::optional<config_value> read() {
    if (word_ == "true" || word_ == "false")
      return config_value{word_ == "true"};
    if (!digits_.empty() && (digits_[0] == '+' || digits_[0] == '-')) {
      negative_ = digits_[0] == '-';
      digits_.remove_prefix(1);
    }
    if (digits_.empty() || !is_digit(digits_[0]))
      return fail("is not a value; strings stand in double quotes: \"" + std::string{word_} + "\"");
    if (digits_.starts_with("0x") || digits_.starts_with("0X"))
      return integer(16, 2);
    if (digits_.starts_with("0b") || digits_.starts_with("0B"))
      return integer(2, 2);
    if (digits_.size() > 1 && digits_[0] == '0' && is_digit(digits_[1]))
      return fail("begins with a zero, which would make it octal; leave the zero out");
    return integer(10, 0);
  }

  std::string why() const { return "`" + std::string{word_} + "` " + why_; }

private:
  std::nullopt_t fail(std::string_view why) {
    why_ = why;
    return std::nullopt;
  }

  std::optional<config_value> integer(int base, std::size_t prefix) {
    std::uint64_t magnitude = 0;
    auto end = digits_.data() + digits_.size();
    auto [stop, error] = std::from_chars(digits_.data() + prefix, end, magnitude, base);
    if (error == std::errc::invalid_argument)
      return fail(not_a_number);
    if (error == std::errc::result_out_of_range || magnitude > max_integer)
      return fail(too_large);
    auto number = static_cast<std::int64_t>(magnitude) * (negative_ ? -1 : 1);
    auto rest = std::string_view{stop, static_cast<std::size_t>(end - stop)};
    if (rest.empty())
      return config_value{number};
    if (base == 10 && std::string_view{".eE"}.find(rest[0]) != std::string_view::npos)
      return real(rest);
    auto* match = base == 10 ? find_unit(rest) : nullptr;
    if (match == nullptr)
      return fail("has the unknown unit `" + std::string{rest} +
                  "`; durations take ns, us, ms, s, min or h; sizes are bytes or, quoted, "
                  "\"4MiB\"");
    if (magnitude > max_integer / static_cast<std::uint64_t>(match->nanoseconds))
      return fail(too_large);
    return config_value{std::chrono::nanoseconds{number * match->nanoseconds}};
  }

  std::optional<config_value> real(std::string_view rest) {
    double result = 0;
    auto end = digits_.data() + digits_.size();
    auto [stop, error] = std::from_chars(digits_.data(), end, result);
    if (stop == end && error == std::errc{}) {
      // CAF's own reader of reals knows neither 0e1 nor more digits than a double holds.
      auto fraction = rest.substr(1, rest.find_first_not_of("0123456789", 1) - 1).size();
      auto size = std::abs(result);
      if (fraction > std::numeric_limits<double>::max_digits10 || size > 1e100 ||
          (result != 0 && size < 1e-100))
        return fail("is too large, too small or too long");
      if (is_digit(end[-1]) && (digits_[0] != '0' || digits_[1] == '.'))
        return config_value{negative_ ? -result : result};
    }
    if (find_unit({stop, static_cast<std::size_t>(end - stop)}) != nullptr)
      return fail("is a fraction; write a whole number of a smaller unit, for example 1500ms");
    return fail(not_a_number);
  }

  std::string_view word_;
  std::string_view digits_; // without the sign
  bool negative_ = false;
  std::string why_;
};

} // namespace

std::optional<config_value> parse_config_word(std::string_view word, std::string& why) {
  word_reader reader{word};
  auto result = reader.read();
  if (!result)
    why = reader.why();
  return result;
}

std::string_view kind_name(const config_value& value) {
  constexpr std::array<std::string_view, 7> names{
    "a boolean", "an integer", "a real number", "a duration", "a string", "an atom", "a list"};
  return names[value.data.index()];
}

} // namespace signalbox
