#include "actors/token_guard.hpp"
#include "tests/support/builders.hpp"

#include <gtest/gtest.h>

#include <algorithm>

namespace signalbox {
namespace {

using namespace std::chrono_literals;

const timestamp start{1'700'000'000'000ms};

outcome_batch bad_tokens(std::size_t count, timestamp at,
                         const destination& dest = apns_production) {
  outcome_batch batch{work_builder(1).to(dest).targets(count).build(), {}, {}, at};
  for (const auto& each : batch.of->targets) {
    outcome bad;
    bad.token = each.id;
    bad.index = each.index;
    bad.reason = "BadDeviceToken";
    bad.invalidate = invalidation::bad_token;
    batch.others.push_back(bad);
  }
  return batch;
}

std::ptrdiff_t invalidated(token_guard& guard, outcome_batch batch) {
  guard.judge(batch);
  return std::count_if(batch.others.begin(), batch.others.end(),
                       [](const outcome& each) { return each.invalidate != invalidation::none; });
}

struct token_guard_test : ::testing::Test {
  breaker_board board;
  token_guard guard{"push", board};
};

TEST_F(token_guard_test, a_storm_saves_the_tokens_and_shows_on_the_board) {
  EXPECT_EQ(invalidated(guard, bad_tokens(150, start)), 100);
  const auto views = board.list();
  ASSERT_EQ(views.size(), 1u);
  EXPECT_EQ(views[0].place.lane, "push");
  EXPECT_EQ(views[0].place.kind, breaker_kind::token_storm);
  EXPECT_EQ(views[0].state, breaker_state::open);
  EXPECT_EQ(views[0].reason, "BadDeviceToken");
  EXPECT_EQ(views[0].since, start);
  EXPECT_EQ(invalidated(guard, bad_tokens(10, start, apns_sandbox)), 10) << "only where it rages";
}

TEST_F(token_guard_test, it_ends_with_its_minute_also_without_traffic) {
  invalidated(guard, bad_tokens(150, start));
  EXPECT_TRUE(guard.refresh(start + 59s));
  EXPECT_FALSE(guard.refresh(start + 60s));
  EXPECT_TRUE(board.list().empty());
}

TEST_F(token_guard_test, a_reset_ends_it_where_it_was_asked_for) {
  invalidated(guard, bad_tokens(150, start));
  guard.reset(apns_sandbox, start);
  EXPECT_EQ(board.list().size(), 1u);
  guard.reset(apns_production, start);
  EXPECT_TRUE(board.list().empty());
  EXPECT_EQ(invalidated(guard, bad_tokens(100, start)), 100);
  guard.reset(std::nullopt, start);
  EXPECT_EQ(invalidated(guard, bad_tokens(100, start)), 100);
}

} // namespace
} // namespace signalbox
