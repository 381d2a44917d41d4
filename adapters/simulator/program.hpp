#pragma once

#include "adapters/simulator/simulator.hpp"

#include <filesystem>

namespace signalbox::sim {

struct program_options {
  simulator_options simulator;
  /// Where the URLs are written once ready; empty for nowhere.
  std::filesystem::path info_file;
};

/// Runs the simulator until SIGTERM or SIGINT. Says on stdout, in one line of JSON, where it is:
/// `{apns, fcm, admin, pid, tls_dir, apns_key_id, apns_team_id, bundle, fcm_project,
/// service_account, job_marker, seed}`; the info file holds the same. The log, why connections
/// ended, goes to stderr. Returns the exit code: 0 when
/// stopped by a signal, 1 after a failure (said on stderr). Call it from the main thread before
/// other threads exist, since it blocks those signals.
int run_program(const program_options& options);

} // namespace signalbox::sim
