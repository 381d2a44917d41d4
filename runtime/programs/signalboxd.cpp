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

// Signals are taken one by one on the main thread; every other thread has them blocked.
sigset_t block_signals() {
  sigset_t signals;
  sigemptyset(&signals);
  for (const int each : {SIGTERM, SIGINT, SIGHUP})
    sigaddset(&signals, each);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  signal(SIGPIPE, SIG_IGN);
  return signals;
}

int serve(const node_settings& settings) {
  const auto signals = block_signals();
  // One arena for each core is enough, and keeps memory from growing with the number of threads.
  mallopt(M_ARENA_MAX, 2);
  if (auto error = start_logging(settings.log); !error.empty()) {
    std::cerr << "signalboxd: " << error << '\n';
    return exit_code(node_status::failed);
  }
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

  int received = 0;
  while (sigwait(&signals, &received) == 0 && received == SIGHUP) {
    spdlog::info("event=reload");
    node.reload_credentials();
  }
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
    "SIGTERM and SIGINT stop it in order, SIGHUP reads provider keys again.\n"
    "Exit codes: 0 stopped, 1 failed, 2 wrong usage or settings, 3 the database is in use\n"
    "by another node, 4 the stop's deadline passed, 5 something kept crashing."};
  app.set_version_flag("--version", SIGNALBOX_VERSION);
  app.add_option("--config-file", config_file, "actor configuration file (see config/)");
  app.add_flag("--check-config", check,
               "look for mistakes in the settings and the files they name, and exit");
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
  if (check) {
    auto more = check_files(loaded);
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
  return serve(loaded.settings);
}
