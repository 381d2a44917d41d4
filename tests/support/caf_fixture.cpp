#include "tests/support/caf_fixture.hpp"

#include <spdlog/spdlog.h>

namespace signalbox {

caf_fixture::config::config() {
  set("scheduler.policy", caf::atom("testing"));
  set("logger.file-verbosity", caf::atom("quiet"));
  set("logger.console-verbosity", caf::atom("quiet"));
}

caf_fixture::caf_fixture() {
  spdlog::set_level(spdlog::level::off); // failures are what these tests are about
  scheduler_.clock().current_time += std::chrono::hours{1};
}

} // namespace signalbox
