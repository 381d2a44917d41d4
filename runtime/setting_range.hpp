#pragma once

#include "runtime/config_value.hpp"

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace signalbox {

enum class setting_kind { integer, bytes, duration, string, path, choice, names };

/// A value that its setting accepts: integers and bytes; durations; strings, paths and choices;
/// names.
using setting_value =
  std::variant<std::int64_t, std::chrono::milliseconds, std::string, std::vector<std::string>>;

/// What a setting may be.
struct setting_range {
  setting_kind kind;
  std::int64_t min = 0; ///< integers; bytes; milliseconds; bytes of strings and paths; names in all
  std::int64_t max = 0;
  std::vector<std::string_view> choices; ///< in the order of the enumeration they stand for
};

/// "an integer from 0 to 65535", "a duration from 100ms to 5min", ...
std::string to_string(const setting_range& range);

/// The value as a configuration file would have it.
std::string to_config_text(const setting_value& value);

/// Checks kind, unit and range of a value from a file. Sizes may also be strings with a unit:
/// "64KiB", "8MiB", "1GiB". Names may also be one string with commas between them.
/// @returns nothing, with `why` set, if the range does not hold it
std::optional<setting_value> check_value(const setting_range& range, const config_value& value,
                                         std::string& why);

/// Checks a value from the environment: as in a file, but strings without quotes.
std::optional<setting_value> check_text(const setting_range& range, std::string_view text,
                                        std::string& why);

} // namespace signalbox
