#pragma once

#include "runtime/settings.hpp"

#include <string>
#include <vector>

namespace signalbox {

/// All mistakes, each on a line of its own.
std::string to_text(const std::vector<config_error>& errors);

/// The effective values as a configuration file that says the same, with the origin of each value
/// in a comment. Secrets appear by their paths only, since settings hold nothing else.
std::string dump_settings(const loaded_settings& loaded);

/// docs/settings.md, made from the table.
std::string settings_markdown();

} // namespace signalbox
