#include "adapters/http2/backoff.hpp"

#include <gtest/gtest.h>

#include <algorithm>

using namespace signalbox;
using namespace std::chrono_literals;

namespace {

TEST(backoff, stays_between_least_and_an_exponential_top) {
  for (std::uint64_t seed = 0; seed < 200; ++seed) {
    backoff delays{{100ms, 5s}, seed};
    auto top = 200ms;
    for (int i = 0; i < 40; ++i) {
      const auto delay = delays.next();
      EXPECT_GE(delay, 100ms);
      EXPECT_LE(delay, std::min<std::chrono::milliseconds>(top, 5s));
      top = std::min<std::chrono::milliseconds>(top * 2, 10s);
    }
  }
}

TEST(backoff, is_jittered_over_the_whole_range) {
  auto least = 10'000ms;
  auto most = 0ms;
  for (std::uint64_t seed = 0; seed < 500; ++seed) {
    backoff delays{{100ms, 5s}, seed};
    for (int i = 0; i < 60; ++i) // an outage of half an hour
      delays.next();
    const auto delay = delays.next();
    least = std::min(least, delay);
    most = std::max(most, delay);
  }
  EXPECT_LT(least, 500ms);
  EXPECT_GT(most, 4'500ms);
}

TEST(backoff, starts_over_after_a_success) {
  backoff delays{{100ms, 60s}, 1};
  EXPECT_FALSE(delays.has_failed());
  for (int i = 0; i < 10; ++i)
    delays.next();
  EXPECT_TRUE(delays.has_failed());
  delays.reset();
  EXPECT_FALSE(delays.has_failed());
  EXPECT_LE(delays.next(), 200ms);
}

} // namespace
