#include "actors/failure_run.hpp"
#include "tests/support/builders.hpp"

#include <gtest/gtest.h>

namespace signalbox {
namespace {

TEST(failure_run, nothing_is_known_before_the_first_success) {
  failure_run run{20};
  EXPECT_EQ(run.judge(false, 1, false), standing::failing);
}

TEST(failure_run, the_first_failure_after_a_success_is_unsure_the_next_ones_fail) {
  failure_run run{20};
  EXPECT_EQ(run.judge(true, 5, false), standing::working);
  EXPECT_EQ(run.length(), 0u);
  EXPECT_EQ(run.judge(false, 3, false), standing::unsure);
  EXPECT_EQ(run.judge(false, 3, false), standing::failing);
  EXPECT_EQ(run.length(), 6u);
  EXPECT_EQ(run.judge(true, 0, false), standing::working);
  EXPECT_EQ(run.length(), 0u);
}

TEST(failure_run, what_opens_the_breaker_is_down) {
  failure_run run{20};
  run.judge(true, 0, false);
  EXPECT_EQ(run.judge(false, 19, false), standing::unsure);
  EXPECT_EQ(run.judge(false, 1, false), standing::down);
  EXPECT_EQ(run.judge(false, 1, true), standing::down);
}

TEST(failure_run, a_success_elsewhere_ends_it) {
  failure_run run{20};
  run.judge(false, 19, false);
  run.remember({job_number(1), 7});
  run.succeed();
  EXPECT_TRUE(run.take_charged().empty());
  EXPECT_EQ(run.judge(false, 1, false), standing::unsure);
}

TEST(failure_run, whom_it_charged_is_told_once_and_bounded) {
  failure_run run{3};
  for (token_id token = 1; token <= 9; ++token)
    run.remember({job_number(1), token});
  EXPECT_EQ(run.take_charged().size(), 3u);
  EXPECT_TRUE(run.take_charged().empty());
}

} // namespace
} // namespace signalbox
