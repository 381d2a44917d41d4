#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace signalbox {

/// A word in single quotes, at most 10 letters, digits, underscores and blanks.
struct config_atom {
  std::string name;
  friend bool operator==(const config_atom&, const config_atom&) = default;
};

/// A value as it was written.
struct config_value {
  using list = std::vector<config_value>;
  std::variant<bool, std::int64_t, double, std::chrono::nanoseconds, std::string, config_atom, list>
    data;
  friend bool operator==(const config_value&, const config_value&) = default;
};

/// Reads true, false, an integer (decimal, 0x, 0b), a real or a duration: what stands in a
/// configuration without quotes or brackets. Reals lie between 1e-100 and 1e100.
/// @returns nothing, with `why` set, if it is none of them
std::optional<config_value> parse_config_word(std::string_view word, std::string& why);

/// What people call this kind of value: "an integer", "a duration", ...
std::string_view kind_name(const config_value& value);

} // namespace signalbox
