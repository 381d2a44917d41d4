#include "runtime/node_config.hpp"

#include <caf/atom.hpp>

#include <algorithm>
#include <thread>

namespace signalbox {

node_config::node_config(const node_settings& settings) {
  // Actors only sequence what other threads do, in batches: few threads are enough, and each one
  // more costs context switches (on 2 cores, a second one a quarter of the CPU of a single push).
  auto threads = settings.scheduler.max_threads;
  if (threads == 0)
    threads = std::max<std::size_t>(1, std::thread::hardware_concurrency() / 2);
  // Work stealing polls: an idle node would keep a tenth of a core busy.
  set("scheduler.policy", caf::atom("sharing"));
  set("scheduler.max-threads", threads);
  set("scheduler.max-throughput", settings.scheduler.max_throughput);
}

} // namespace signalbox
