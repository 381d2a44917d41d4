#include "actors/token_storm.hpp"

#include <gtest/gtest.h>

namespace signalbox {
namespace {

using namespace std::chrono_literals;

const auto start = std::chrono::seconds{3'600};

TEST(token_storm, a_hundred_bad_tokens_are_allowed_in_any_case) {
  token_storm storm;
  storm.count(start, 100, 100);
  EXPECT_FALSE(storm.tripped(start));
  storm.count(start, 1, 1);
  EXPECT_TRUE(storm.tripped(start));
}

TEST(token_storm, one_in_twenty_is_allowed) {
  token_storm storm;
  storm.count(start, 20'000, 1'000);
  EXPECT_FALSE(storm.tripped(start));
  storm.count(start, 0, 1);
  EXPECT_TRUE(storm.tripped(start));
  storm.count(start, 20, 0);
  EXPECT_FALSE(storm.tripped(start));
}

TEST(token_storm, only_the_last_minute_counts) {
  token_storm storm;
  storm.count(start, 101, 101);
  EXPECT_TRUE(storm.tripped(start + 59s));
  EXPECT_FALSE(storm.tripped(start + 60s));
}

TEST(token_storm, answers_age_one_second_at_a_time) {
  token_storm storm;
  for (int second = 0; second < 60; ++second)
    storm.count(start + std::chrono::seconds{second}, 2, 2);
  EXPECT_TRUE(storm.tripped(start + 59s)) << "120 within a minute";
  EXPECT_TRUE(storm.tripped(start + 68s)) << "102 within a minute";
  EXPECT_FALSE(storm.tripped(start + 69s)) << "100 within a minute";
}

TEST(token_storm, a_long_pause_forgets_everything) {
  token_storm storm;
  storm.count(start, 500, 500);
  storm.count(start + 24h, 100, 100);
  EXPECT_FALSE(storm.tripped(start + 24h));
}

} // namespace
} // namespace signalbox
