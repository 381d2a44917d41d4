#pragma once

#include "runtime/config_value.hpp"

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace signalbox {

/// One mistake in the settings: where it stands, what it concerns, what is wrong.
struct config_error {
  std::string source;   ///< the file's name as it was given, or "environment"
  std::size_t line = 0; ///< from 1; 0 if the mistake has no line
  std::string key;      ///< dotted path or environment name; may be empty for errors of syntax
  std::string text;
};

/// `node.conf:12: http.prot: unknown setting; did you mean http.port?`
std::string to_string(const config_error& error);

/// `key = value`, with the dotted path of the groups around it.
struct config_entry {
  std::string path;
  config_value value;
  std::size_t line = 0;
};

/// `name { ... }`, also when nothing is inside.
struct config_group {
  std::string path;
  std::size_t line = 0;
};

/// What an actor configuration file says. Entries and groups are in the order of the file; what is
/// in `errors` (ordered by line) may be missing from them.
struct config_file {
  std::vector<config_entry> entries;
  std::vector<config_group> groups;
  std::vector<config_error> errors;
};

/// Reads CAF 0.17's configuration syntax with braces: `group { key = value }`, pairs parted by
/// lines or, inside a group, by commas; `;` comments; values are "strings", 'atoms', true, false,
/// integers, reals, durations (ns, us, ms, s, min, h) and [lists].
///
/// What it accepts, CAF's parser reads to the same values. It refuses, with a line, what CAF
/// accepts and misreads (a missing brace empties the whole file, repeated names replace each other,
/// 010 is octal) or refuses without naming the cause; `[section]` headers and <uris> are refused
/// too. All mistakes are collected. Pure: safe on any thread.
/// @param source the name that errors carry
config_file scan_config(std::string_view text, const std::string& source);

/// Reads a single value, as in `key = value`.
/// @returns nothing, with `why` set, if it is not one
std::optional<config_value> scan_config_value(std::string_view text, std::string& why);

} // namespace signalbox
