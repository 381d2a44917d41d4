#pragma once

#include "runtime/config_file.hpp"
#include "runtime/node_settings.hpp"

#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace signalbox {

/// Names and values of environment variables; names that do not begin with SIGNALBOX_ are ignored.
using environment_variables = std::map<std::string, std::string>;

/// The SIGNALBOX_ variables of this process. Not safe while another thread changes them.
environment_variables process_environment();

/// A setting as it will be used.
struct effective_setting {
  std::string name;   ///< lanes by their names: `lane.push.masters`
  std::string value;  ///< as a configuration file would have it
  std::string origin; ///< "default", "node.conf:12" or "environment"
};

/// What was read, and all that is wrong with it. Use `settings` only without errors.
struct loaded_settings {
  node_settings settings;
  std::vector<effective_setting> effective; ///< in the order of the documentation
  std::vector<config_error> errors;
  std::vector<config_error> warnings; ///< what does no harm, but may be a mistake
};

/// Reads settings: defaults, over them the file's, over them the environment's; every value is
/// checked against its row of the table, then the values against each other. Every mistake is an
/// error that names its line or variable and its key; all are collected.
/// @param text of an actor configuration file
/// @param source the name that errors and origins carry
loaded_settings parse_settings(std::string_view text, const std::string& source,
                               const environment_variables& environment);

/// Reads settings from a file; without one, from the environment only. A file that cannot be read
/// is an error as any other.
loaded_settings load_settings(const std::optional<std::filesystem::path>& file,
                              const environment_variables& environment);

/// Why a start with these settings would fail: it does the same before anything else, so
/// --check-config refuses what a start refuses, in the same words. Blocks.
std::vector<config_error> check_start(const loaded_settings& loaded);

/// Key files that others can read. Blocks.
std::vector<config_error> warn_of_files(const loaded_settings& loaded);

} // namespace signalbox
