#include "actors/lane_board.hpp"

#include <gtest/gtest.h>

namespace signalbox {
namespace {

TEST(lane_board, counters_of_a_lane_are_the_same_for_all_who_ask) {
  lane_board board;
  board.counters("push")->outcomes[static_cast<std::size_t>(outcome_status::retry)] += 3;
  board.counters("push")->dead_letters += 1;
  board.counters("bulk");
  const auto views = board.list();
  ASSERT_EQ(views.size(), 2u);
  EXPECT_EQ(views[0].lane, "bulk");
  EXPECT_EQ(views[0].counters->of(outcome_status::retry), 0u);
  EXPECT_EQ(views[1].counters->of(outcome_status::retry), 3u);
  EXPECT_EQ(views[1].counters->dead_letters, 1u);
}

TEST(lane_board, a_failed_measurement_leaves_a_gap) {
  lane_board board;
  backlog waiting;
  waiting.due_retries = 7;
  const timestamp at{std::chrono::milliseconds{5}};
  board.put("push", waiting, at);
  ASSERT_TRUE(board.list().at(0).waiting);
  EXPECT_EQ(board.list()[0].waiting->due_retries, 7);
  EXPECT_EQ(board.list()[0].measured_at, at);
  board.put("push", std::nullopt, at);
  EXPECT_FALSE(board.list()[0].waiting);
}

} // namespace
} // namespace signalbox
