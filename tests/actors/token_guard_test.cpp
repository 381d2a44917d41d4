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

outcome_batch accepted_one(timestamp at, const destination& dest = apns_production) {
  return {work_builder(2).to(dest).targets(2).build(), {1}, {}, at};
}

// As of a Live Activity.
outcome_batch of_activity(outcome_batch batch) {
  auto context = std::make_shared<job_context>(*batch.of->job);
  context->activity.emplace();
  auto made = std::make_shared<work>(*batch.of);
  made->job = std::move(context);
  batch.of = std::move(made);
  return batch;
}

struct token_guard_test : ::testing::Test {
  guard_time now(timestamp at) const {
    return {at, boot_clock::time_point{std::chrono::hours{1} + (at - start)}};
  }

  // Of the batch itself.
  std::ptrdiff_t invalidated(outcome_batch batch) {
    guard.judge(batch, now(batch.at));
    return std::count_if(batch.others.begin(), batch.others.end(),
                         [](const outcome& each) { return each.invalidate != invalidation::none; });
  }

  // Of those before it.
  std::vector<late_invalidation> late(outcome_batch batch) {
    guard.judge(batch, now(batch.at));
    return batch.late;
  }

  void prove(timestamp at = start) {
    late(accepted_one(at));
    late(accepted_one(at, apns_sandbox));
  }

  breaker_board board;
  token_guard guard{"push", board};
};

TEST_F(token_guard_test, a_storm_saves_the_tokens_and_shows_on_the_board) {
  prove();
  EXPECT_EQ(invalidated(bad_tokens(150, start)), 100);
  const auto views = board.list();
  ASSERT_EQ(views.size(), 1u);
  EXPECT_EQ(views[0].place.lane, "push");
  EXPECT_EQ(views[0].place.kind, breaker_kind::token_storm);
  EXPECT_EQ(views[0].state, breaker_state::open);
  EXPECT_EQ(views[0].reason, "BadDeviceToken");
  EXPECT_EQ(views[0].since, start);
  EXPECT_EQ(invalidated(bad_tokens(10, start, apns_sandbox)), 10) << "only where it rages";
}

TEST_F(token_guard_test, it_ends_with_its_minute_also_without_traffic) {
  invalidated(bad_tokens(150, start));
  EXPECT_TRUE(guard.refresh(now(start + 59s)));
  EXPECT_FALSE(guard.refresh(now(start + 60s)));
  EXPECT_TRUE(board.list().empty());
}

TEST_F(token_guard_test, a_storm_ends_though_the_wall_clock_was_hours_ahead) {
  const auto boot = now(start).boot;
  auto proof = accepted_one(start + 3h);
  guard.judge(proof, {start + 3h, boot});
  auto before = bad_tokens(150, start + 3h);
  guard.judge(before, {start + 3h, boot});
  EXPECT_EQ(board.list().size(), 1u);
  EXPECT_FALSE(guard.refresh({start, boot + 60s}));
  auto after = bad_tokens(1, start);
  guard.judge(after, {start, boot + 60s});
  EXPECT_EQ(after.others[0].invalidate, invalidation::bad_token);
}

TEST_F(token_guard_test, a_reset_ends_it_where_it_was_asked_for) {
  prove();
  invalidated(bad_tokens(150, start));
  guard.reset(apns_sandbox, now(start));
  EXPECT_EQ(board.list().size(), 1u);
  guard.reset(apns_production, now(start));
  EXPECT_TRUE(board.list().empty());
  EXPECT_EQ(invalidated(bad_tokens(100, start)), 100);
  guard.reset(std::nullopt, now(start));
  EXPECT_EQ(invalidated(bad_tokens(100, start)), 100);
}

TEST_F(token_guard_test, a_small_base_in_the_wrong_environment_is_not_wiped) {
  for (int day = 0; day < 30; ++day)
    EXPECT_EQ(invalidated(bad_tokens(30, start + day * 24h)), 0);
  EXPECT_TRUE(board.list().empty());
}

TEST_F(token_guard_test, what_was_blamed_is_invalidated_once_its_environment_has_proved_itself) {
  invalidated(bad_tokens(30, start));
  EXPECT_TRUE(late(accepted_one(start + 1h, apns_sandbox)).empty()) << "another one proves nothing";
  EXPECT_TRUE(late(of_activity(accepted_one(start + 1h))).empty()) << "nor does another topic";
  const auto blamed = late(accepted_one(start + 1h));
  EXPECT_EQ(blamed.size(), 29u) << "all but the one that is accepted now";
  for (const auto& each : blamed) {
    EXPECT_EQ(each.reason, "BadDeviceToken");
    EXPECT_EQ(each.at, start) << "one that registered again since is spared";
  }
  EXPECT_TRUE(late(accepted_one(start + 1h)).empty()) << "once";
  EXPECT_EQ(invalidated(bad_tokens(30, start + 2h)), 30);
}

TEST_F(token_guard_test, activities_prove_their_own_topic_and_at_fcm_there_is_only_one) {
  prove();
  EXPECT_EQ(invalidated(of_activity(bad_tokens(3, start))), 0);
  late(of_activity(accepted_one(start)));
  EXPECT_EQ(invalidated(of_activity(bad_tokens(3, start))), 3);
  late(accepted_one(start, fcm_production));
  EXPECT_EQ(invalidated(of_activity(bad_tokens(3, start, fcm_production))), 3);
}

TEST_F(token_guard_test, new_credentials_prove_themselves_anew) {
  prove();
  late(accepted_one(start, fcm_production));
  guard.prove_again(apns_production);
  EXPECT_EQ(invalidated(bad_tokens(3, start)), 0);
  EXPECT_EQ(invalidated(bad_tokens(3, start, fcm_production)), 3);
  guard.prove_again(apns_production);
  EXPECT_TRUE(late(accepted_one(start)).empty()) << "what was blamed with the others is forgotten";
}

TEST_F(token_guard_test, unregistered_tokens_need_no_proof) {
  auto batch = bad_tokens(3, start);
  for (auto& each : batch.others)
    each.invalidate = invalidation::unregistered;
  EXPECT_EQ(invalidated(batch), 3);
}

TEST_F(token_guard_test, a_storm_keeps_what_was_blamed_before_the_proof) {
  invalidated(bad_tokens(5'000, start));
  EXPECT_TRUE(late(accepted_one(start)).empty()) << "the storm still rages";
  EXPECT_EQ(late(accepted_one(start + 1h)).size(), 99u) << "and what it blamed is not remembered";
}

} // namespace
} // namespace signalbox
