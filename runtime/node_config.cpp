#include "runtime/node_config.hpp"

#include <caf/atom.hpp>

#include <algorithm>
#include <thread>

namespace signalbox {

node_config::node_config(const node_settings& settings) {
  constexpr std::size_t fewest_threads = 2;
  auto threads = settings.scheduler.max_threads;
  if (threads == 0)
    threads = std::max<std::size_t>(fewest_threads, std::thread::hardware_concurrency());
  // Work stealing polls: an idle node would keep a tenth of a core busy.
  set("scheduler.policy", caf::atom("sharing"));
  set("scheduler.max-threads", threads);
  set("scheduler.max-throughput", settings.scheduler.max_throughput);
}

} // namespace signalbox
