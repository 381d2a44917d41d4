#pragma once

#include "runtime/node_settings.hpp"

#include <string>

namespace signalbox {

/// Sets up the process's log: one line an event, logfmt or JSON, to standard error or a file.
/// Answers what is wrong, or nothing.
std::string start_logging(const node_settings::log_group& settings);

} // namespace signalbox
