#include "actors/restart_policy.hpp"

#include <gtest/gtest.h>

namespace signalbox {
namespace {

using namespace std::chrono_literals;

const boot_clock::time_point start{1h};

TEST(restart_policy, the_wait_doubles_up_to_its_limit) {
  restart_policy policy{{100ms, 1s, 10, 60s}};
  for (const auto expected : {100ms, 200ms, 400ms, 800ms, 1'000ms, 1'000ms})
    EXPECT_EQ(policy.crashed(start), expected);
}

TEST(restart_policy, escalates_after_too_many_crashes_within_the_window) {
  restart_policy policy{{100ms, 1s, 3, 60s}};
  EXPECT_TRUE(policy.crashed(start));
  EXPECT_TRUE(policy.crashed(start + 30s));
  EXPECT_TRUE(policy.crashed(start + 60s));
  EXPECT_FALSE(policy.crashed(start + 60s));
}

TEST(restart_policy, old_crashes_are_forgiven) {
  restart_policy policy{{100ms, 1s, 2, 60s}};
  for (int minute = 0; minute < 100; ++minute)
    EXPECT_EQ(policy.crashed(start + minute * 61s), 100ms);
}

} // namespace
} // namespace signalbox
