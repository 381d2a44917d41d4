#pragma once

#include "runtime/settings_rules.hpp"

#include <vector>

namespace signalbox {

/// What a start needs of the machine, tried out: keys, service accounts and certificates are really
/// read, proxies of the environment too, and the address, the log and the store's directory can be
/// used. A port that is taken is no mistake of the settings. Blocks.
/// @returns the key is a setting, or the variable of the environment
std::vector<broken_rule> check_start_rules(const node_settings& settings);

/// Files with secrets that every user of the machine can read. Blocks.
std::vector<broken_rule> files_open_to_others(const node_settings& settings);

} // namespace signalbox
