#include "adapters/io/descriptors.hpp"
#include "runtime/logging.hpp"
#include "runtime/node.hpp"
#include "runtime/node_info.hpp"
#include "runtime/settings.hpp"
#include "runtime/settings_text.hpp"

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <spdlog/spdlog.h>
#include <systemd/sd-daemon.h>

#include <algorithm>
#include <atomic>
#include <cstdio>
#include <iostream>
#include <iterator>
#include <malloc.h>
#include <optional>
#include <pthread.h>
#include <signal.h>
#include <string>
#include <unistd.h>

using namespace signalbox;

namespace {

int exit_code(node_status status) {
  return static_cast<int>(status);
}

// Signals are taken one by one on the main thread; every other thread has them blocked. Those that
// a fault of the program itself raises, and what job control does, stay what they are.
sigset_t block_signals() {
  sigset_t signals;
  sigfillset(&signals);
  for (const int each : {SIGABRT, SIGBUS, SIGFPE, SIGILL, SIGSEGV, SIGSYS, SIGTRAP, SIGCHLD,
                         SIGCONT, SIGTSTP, SIGTTIN, SIGTTOU, SIGURG, SIGWINCH})
    sigdelset(&signals, each);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  // A peer that went away and a file that may not grow are errors of the call.
  for (const int each : {SIGPIPE, SIGXFSZ}) {
    sigdelset(&signals, each);
    signal(each, SIG_IGN);
  }
  return signals;
}

/// Waits for a signal that ends the node; does what the others ask.
int wait_for_end(const sigset_t& signals, node& running) {
  int received = 0;
  while (sigwait(&signals, &received) == 0) {
    if (received == SIGTERM || received == SIGINT || received == SIGQUIT)
      break;
    if (received == SIGHUP) {
      reopen_log();
      spdlog::info("event=reload");
      running.reload_credentials();
    } else {
      spdlog::info("event=signal_ignored signal={}", received);
    }
  }
  return received;
}

int serve(const loaded_settings& loaded) {
  const auto& settings = loaded.settings;
  const auto signals = block_signals();
  // One arena for each core is enough, and keeps memory from growing with the number of threads.
  mallopt(M_ARENA_MAX, 2);
  const auto errors = check_start(loaded);
  const auto log_error = start_logging(settings.log);
  if (errors.empty() && !log_error.empty()) {
    std::cerr << "signalboxd: " << log_error << '\n';
    return exit_code(node_status::failed);
  }
  for (const auto& warning : loaded.warnings)
    spdlog::warn("event=settings_warning text={:?}", to_string(warning));
  if (!errors.empty()) {
    for (const auto& error : errors)
      spdlog::critical("event=start_failed error={:?}", to_string(error));
    std::cerr << to_text(errors);
    return exit_code(node_status::failed);
  }
  raise_descriptor_limit();
  std::atomic<bool> gave_up{false};
  node node{settings, [&](const std::string&) {
              gave_up = true;
              kill(getpid(), SIGTERM);
            }};
  if (const auto started = node.start(); started.status != node_status::ok) {
    spdlog::critical("event=start_failed error={:?}", started.message);
    std::cerr << "signalboxd: " << started.message << '\n';
    return exit_code(started.status);
  }
  const node_info info{state_directory(settings), node.http_url()};
  spdlog::info("event=started version={} http={} store={}", SIGNALBOX_VERSION, node.http_url(),
               settings.store.path.string());
  sd_notify(0, "READY=1");

  const int received = wait_for_end(signals, node);
  sd_notify(0, "STOPPING=1");
  spdlog::info("event=stopping signal={}", received);
  const auto stopped = node.stop();
  spdlog::info("event=stopped drained={}", stopped == node_status::ok);
  spdlog::shutdown();
  return exit_code(gave_up ? node_status::gave_up : stopped);
}

} // namespace

int main(int argc, char** argv) {
  std::string config_file;
  bool check = false;
  bool dump = false;
  bool markdown = false;
  CLI::App app{
    "Signalbox: a push-notification delivery node.\n"
    "Every setting is also read from the environment: http.port is SIGNALBOX_HTTP_PORT.\n"
    "SIGTERM, SIGINT and SIGQUIT stop it in order; SIGHUP reads provider keys and opens the log "
    "again.\n"
    "Exit codes: 0 stopped, 1 failed, 2 wrong usage or settings, 3 the database is in use\n"
    "by another node, 4 the stop's deadline passed, 5 something kept crashing."};
  app.set_version_flag("--version", SIGNALBOX_VERSION);
  app.add_option("--config-file", config_file, "actor configuration file (see config/)");
  app.add_flag("--check-config", check, "look for all that a start would refuse, and exit");
  app.add_flag("--dump-config", dump, "print every setting with its value and origin, and exit");
  app.add_flag("--settings-markdown", markdown, "print docs/settings.md, and exit");
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : exit_code(node_status::usage);
  }
  if (markdown) {
    std::cout << settings_markdown();
    return 0;
  }
  const auto file =
    config_file.empty() ? std::nullopt : std::optional<std::filesystem::path>{config_file};
  auto loaded = load_settings(file, process_environment());
  auto open_files = warn_of_files(loaded);
  std::move(open_files.begin(), open_files.end(), std::back_inserter(loaded.warnings));
  if (check) {
    std::cerr << to_text(loaded.warnings);
    auto more = check_start(loaded);
    std::move(more.begin(), more.end(), std::back_inserter(loaded.errors));
  }
  if (!loaded.errors.empty()) {
    std::cerr << to_text(loaded.errors);
    return exit_code(node_status::usage);
  }
  if (dump) {
    std::cout << dump_settings(loaded);
    return 0;
  }
  if (check) {
    std::cout << "The settings are fine.\n";
    return 0;
  }
  return serve(loaded);
}
