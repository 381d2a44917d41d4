#include "adapters/simulator/program.hpp"

#include <boost/json/serialize.hpp>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include <exception>
#include <fstream>
#include <iostream>
#include <signal.h>
#include <stdexcept>
#include <string>
#include <unistd.h>

namespace signalbox::sim {

namespace fs = std::filesystem;

namespace {

std::string url(const char* scheme, std::uint16_t port) {
  return std::string{scheme} + "://127.0.0.1:" + std::to_string(port);
}

std::string describe(const simulator& running, const simulator_options& options) {
  return serialize(boost::json::object{{"apns", url("https", running.apns_port())},
                                       {"fcm", url("https", running.fcm_port())},
                                       {"admin", url("http", running.admin_port())},
                                       {"pid", getpid()},
                                       {"tls_dir", running.tls().dir.string()},
                                       {"apns_key_id", apns_key_id},
                                       {"apns_team_id", apns_team_id},
                                       {"bundle", options.bundle},
                                       {"fcm_project", fcm_project},
                                       {"service_account", running.tls().service_account.string()},
                                       {"job_marker", options.job_marker},
                                       {"seed", options.seed}});
}

// Renamed into place: whoever waits for the file finds it complete.
void write_info(const fs::path& file, const std::string& text) {
  auto partial = file;
  partial += ".partial";
  if (!(std::ofstream{partial, std::ios::trunc} << text << '\n').flush())
    throw std::runtime_error{"cannot write " + partial.string()};
  fs::rename(partial, file);
}

} // namespace

int run_program(const program_options& options) {
  sigset_t ending;
  sigemptyset(&ending);
  sigaddset(&ending, SIGTERM);
  sigaddset(&ending, SIGINT);
  pthread_sigmask(SIG_BLOCK, &ending, nullptr);
  signal(SIGPIPE, SIG_IGN);
  spdlog::set_default_logger(spdlog::stderr_logger_mt("signalbox-sim"));
  try {
    simulator running{options.simulator};
    running.start();
    const auto info = describe(running, options.simulator);
    if (!options.info_file.empty())
      write_info(options.info_file, info);
    std::cout << info << std::endl;
    int received = 0;
    sigwait(&ending, &received);
    running.stop();
    return 0;
  } catch (const std::exception& error) {
    std::cerr << "signalbox-sim: " << error.what() << '\n';
    return 1;
  }
}

} // namespace signalbox::sim
