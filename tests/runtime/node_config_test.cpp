#include "runtime/node_config.hpp"

#include <caf/actor_system.hpp>
#include <caf/atom.hpp>
#include <caf/scheduler/abstract_coordinator.hpp>
#include <gtest/gtest.h>

#include <algorithm>
#include <thread>

namespace signalbox {
namespace {

TEST(node_config, sets_what_the_settings_say) {
  node_settings settings;
  settings.scheduler.max_threads = 3;
  settings.scheduler.max_throughput = 42;
  node_config config{settings};
  caf::actor_system system{config};
  EXPECT_EQ(system.scheduler().num_workers(), 3u);
  EXPECT_EQ(system.scheduler().max_throughput(), 42u);
}

TEST(node_config, shares_the_queue_of_work_and_takes_a_thread_for_every_two_cores) {
  node_config config{{}};
  EXPECT_EQ(caf::get_or(config, "scheduler.policy", caf::atom("none")), caf::atom("sharing"));
  caf::actor_system system{config};
  EXPECT_EQ(system.scheduler().num_workers(),
            std::max(1u, std::thread::hardware_concurrency() / 2));
  EXPECT_EQ(system.scheduler().max_throughput(), 300u);
}

} // namespace
} // namespace signalbox
