#include "actors/breaker_board.hpp"

#include <gtest/gtest.h>

namespace signalbox {
namespace {

breaker_view view_of(const std::string& lane, breaker_kind kind, breaker_state state,
                     const std::string& reason = {}) {
  return {{lane, {}, kind}, state, reason, {}, {}};
}

TEST(breaker_board, lists_by_place_what_is_not_closed) {
  breaker_board board;
  board.put(view_of("push", breaker_kind::configuration, breaker_state::open, "TopicDisallowed"));
  board.put(view_of("push", breaker_kind::outage, breaker_state::ramping));
  board.put(view_of("bulk", breaker_kind::token_storm, breaker_state::open));
  board.put(view_of("push", breaker_kind::token_storm, breaker_state::closed));
  const auto views = board.list();
  ASSERT_EQ(views.size(), 3u);
  EXPECT_EQ(views[0].place.lane, "bulk");
  EXPECT_EQ(views[1].place.kind, breaker_kind::outage);
  EXPECT_EQ(views[2].reason, "TopicDisallowed");
}

TEST(breaker_board, a_later_word_replaces_an_earlier_one_and_closed_ends_it) {
  breaker_board board;
  board.put(view_of("push", breaker_kind::outage, breaker_state::open, "http_500"));
  board.put(view_of("push", breaker_kind::outage, breaker_state::probing, "timeout"));
  ASSERT_EQ(board.list().size(), 1u);
  EXPECT_EQ(board.list()[0].state, breaker_state::probing);
  EXPECT_EQ(board.list()[0].reason, "timeout");
  board.put(view_of("push", breaker_kind::outage, breaker_state::closed));
  EXPECT_TRUE(board.list().empty());
}

TEST(breaker_board, a_lane_that_is_started_anew_takes_its_own_off) {
  breaker_board board;
  board.put(view_of("push", breaker_kind::outage, breaker_state::open));
  board.put(view_of("bulk", breaker_kind::outage, breaker_state::open));
  board.clear("push");
  ASSERT_EQ(board.list().size(), 1u);
  EXPECT_EQ(board.list()[0].place.lane, "bulk");
}

TEST(breaker_board, every_kind_is_read_back_by_its_name) {
  for (const auto kind :
       {breaker_kind::outage, breaker_kind::configuration, breaker_kind::token_storm})
    EXPECT_EQ(parse_breaker_kind(to_string(kind)), kind);
  EXPECT_EQ(parse_breaker_kind("storm"), std::nullopt);
}

TEST(breaker_board, states_have_names_of_their_own) {
  EXPECT_EQ(to_string(breaker_state::closed), "closed");
  EXPECT_EQ(to_string(breaker_state::open), "open");
  EXPECT_EQ(to_string(breaker_state::probing), "probing");
  EXPECT_EQ(to_string(breaker_state::ramping), "ramping");
}

} // namespace
} // namespace signalbox
