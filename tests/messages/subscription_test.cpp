#include "messages/subscription.hpp"

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace signalbox {
namespace {

std::shared_ptr<const std::string> text(std::string of) {
  return std::make_shared<const std::string>(std::move(of));
}

live_event event(std::string about, std::string of, bool final = false) {
  return {std::move(about), final, false, text(std::move(of))};
}

class subscription_test : public testing::Test {
protected:
  /// What the connection gets now, and whether that was the end.
  std::string take(std::size_t room = 1'000'000) {
    std::string out;
    ended = !events.take(room, out);
    return out;
  }

  std::shared_ptr<subscription_counters> counters = std::make_shared<subscription_counters>();
  subscription events{10, counters};
  bool ended = false;
};

TEST_F(subscription_test, gives_what_came_in_order) {
  EXPECT_TRUE(events.push(event("a", "1")));
  EXPECT_TRUE(events.push(event("b", "2")));
  EXPECT_EQ(take(), "12");
  EXPECT_FALSE(ended);
  EXPECT_EQ(take(), "");
  EXPECT_EQ(counters->sent, 2u);
}

TEST_F(subscription_test, a_newer_event_takes_the_place_of_one_about_the_same) {
  events.push(event("a", "1"));
  events.push(event("b", "2"));
  events.push(event("a", "3"));
  EXPECT_EQ(take(), "23");
  EXPECT_EQ(counters->dropped, 1u);
}

TEST_F(subscription_test, a_slow_subscriber_loses_the_oldest_intermediate_events) {
  events.push(event("a", "aaaa", true));
  events.push(event("b", "bbbb"));
  events.push(event("c", "cccc"));
  EXPECT_EQ(take(), "aaaacccc");
  EXPECT_EQ(counters->dropped, 1u);
}

TEST_F(subscription_test, an_event_that_finds_no_room_beside_final_ones_is_dropped) {
  events.push(event("a", "aaaaa", true));
  events.push(event("b", "bbbbb", true));
  EXPECT_TRUE(events.push(event("c", "c")));
  EXPECT_EQ(take(), "aaaaabbbbb");
  EXPECT_FALSE(ended);
}

TEST_F(subscription_test, a_final_event_that_finds_no_room_ends_the_stream) {
  events.push(event("a", "aaaaa", true));
  events.push(event("b", "bbbbb", true));
  EXPECT_FALSE(events.push(event("c", "c", true)));
  EXPECT_EQ(counters->closed, 1u);
  EXPECT_FALSE(events.push(event("d", "d")));
  EXPECT_EQ(take(), "aaaaabbbbb");
  EXPECT_TRUE(ended);
}

TEST_F(subscription_test, what_it_begins_with_comes_first_and_is_not_bounded) {
  events.push(event("a", "2"));
  events.begin_with(std::make_shared<const std::vector<live_event>>(
    std::vector{event("x", std::string(20, 'x')), event("a", "1")}));
  EXPECT_EQ(take(20), std::string(20, 'x'));
  EXPECT_EQ(take(1), "1");
  EXPECT_EQ(take(), "2");
}

TEST_F(subscription_test, gives_no_further_piece_when_the_room_is_used) {
  events.push(event("a", "aaa"));
  events.push(event("b", "bbb"));
  EXPECT_EQ(take(2), "aaa");
  EXPECT_EQ(take(2), "bbb");
}

TEST_F(subscription_test, is_kept_alive_only_when_nothing_else_waits) {
  EXPECT_TRUE(events.keep_alive(text(":")));
  EXPECT_TRUE(events.keep_alive(text(":")));
  EXPECT_EQ(take(), ":");
  events.push(event("a", "1"));
  EXPECT_TRUE(events.keep_alive(text(":")));
  EXPECT_EQ(take(), "1");
}

TEST_F(subscription_test, ends_with_what_waits) {
  events.push(event("a", "1"));
  events.finish();
  EXPECT_EQ(take(1), "1");
  EXPECT_TRUE(ended);
  EXPECT_FALSE(events.push(event("a", "2")));
  EXPECT_FALSE(events.keep_alive(text(":")));
}

TEST_F(subscription_test, nobody_takes_it_after_a_close) {
  events.push(event("a", "1"));
  events.close();
  EXPECT_FALSE(events.push(event("a", "2")));
  EXPECT_FALSE(events.keep_alive(text(":")));
}

TEST_F(subscription_test, tells_once_until_it_is_taken_from) {
  int told = 0;
  events.listen([&] { ++told; });
  EXPECT_EQ(told, 0);
  events.push(event("a", "1"));
  events.push(event("b", "2"));
  EXPECT_EQ(told, 1);
  take();
  events.push(event("a", "3"));
  EXPECT_EQ(told, 2);
  take();
  events.finish();
  EXPECT_EQ(told, 3);
}

TEST_F(subscription_test, tells_at_once_when_something_waits_already) {
  int told = 0;
  events.push(event("a", "1"));
  events.listen([&] { ++told; });
  EXPECT_EQ(told, 1);
}

TEST_F(subscription_test, is_counted_while_it_is_there) {
  EXPECT_EQ(counters->open, 1);
  {
    const subscription other{10, counters};
    EXPECT_EQ(counters->open, 2);
  }
  EXPECT_EQ(counters->open, 1);
}

} // namespace
} // namespace signalbox
