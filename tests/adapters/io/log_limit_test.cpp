#include "adapters/io/log_limit.hpp"

#include <gtest/gtest.h>

namespace signalbox {
namespace {

TEST(log_limit, lets_one_through_a_minute) {
  using namespace std::chrono_literals;
  log_limit limit;
  const log_limit::clock::time_point start{5s};
  EXPECT_TRUE(limit.is_due(start));
  EXPECT_FALSE(limit.is_due(start));
  EXPECT_FALSE(limit.is_due(start + 59s));
  EXPECT_TRUE(limit.is_due(start + 60s));
  EXPECT_FALSE(limit.is_due(start + 61s));
}

} // namespace
} // namespace signalbox
