#pragma once

#include "runtime/node_settings.hpp"

#include <string>

namespace signalbox {

/// Sets up the process's log: one line an event, logfmt or JSON, to standard error or a file.
/// Answers what is wrong, or nothing.
std::string start_logging(const node_settings::log_group& settings);

/// Opens the log's file by its name again, as after a rotation that moved it. Where that fails, the
/// log goes on in the file that is open, and says so.
void reopen_log();

} // namespace signalbox
