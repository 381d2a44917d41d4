#include "actors/connection_board.hpp"
#include "tests/support/fake_clock.hpp"
#include "tests/support/log_capture.hpp"

#include <gtest/gtest.h>

namespace signalbox {
namespace {

using namespace std::chrono_literals;

const connection_place apns{{default_app, platform::apns, environment::production},
                            "api.push.apple.com:443"};
const connection_place oauth{{default_app, platform::fcm, environment::production},
                             "oauth2.googleapis.com:443"};

class connection_board_test : public testing::Test {
protected:
  std::size_t logged(const std::string& what) const {
    const auto text = log_.text();
    std::size_t count = 0;
    for (auto at = text.find(what); at != text.npos; at = text.find(what, at + 1))
      ++count;
    return count;
  }

  void fail(const connection_place& at = apns) {
    board_.failed(at, connection_fault::resolve, "resolve api.push.apple.com:443: Host not found");
  }

  tests::log_capture log_;
  fake_clock clock_;
  breaker_board breakers_;
  connection_board board_{breakers_, clock_};
};

TEST_F(connection_board_test, the_first_failure_is_logged_with_its_reason) {
  fail();
  EXPECT_EQ(logged("event=no_connection provider=apns environment=production "
                   "server=api.push.apple.com:443 fault=resolve "
                   "reason=\"resolve api.push.apple.com:443: Host not found\" unlogged=0"),
            1u)
    << log_.text();
}

TEST_F(connection_board_test, the_others_once_a_minute_with_their_number) {
  for (int i = 0; i < 120; ++i) {
    fail();
    clock_.advance(1s);
  }
  EXPECT_EQ(logged("event=no_connection"), 2u);
  EXPECT_EQ(logged("unlogged=59"), 1u) << log_.text();
}

TEST_F(connection_board_test, a_host_that_cannot_be_connected_to_is_shown_until_it_answers) {
  const auto since = clock_.now();
  fail();
  fail(oauth);
  clock_.advance(30s);
  board_.failed(apns, connection_fault::tls, "certificate verify failed");
  const auto shown = breakers_.list();
  ASSERT_EQ(shown.size(), 2u);
  EXPECT_EQ(shown[0].place,
            (breaker_place{"", apns.dest, breaker_kind::connection, "api.push.apple.com:443"}));
  EXPECT_EQ(shown[0].state, breaker_state::open);
  EXPECT_EQ(shown[0].since, since);
  EXPECT_EQ(shown[0].reason, "certificate verify failed") << "the latest";
  board_.answered(apns);
  ASSERT_EQ(breakers_.list().size(), 1u);
  EXPECT_EQ(breakers_.list()[0].place.server, oauth.server);
  EXPECT_EQ(logged("event=connected provider=apns environment=production "
                   "server=api.push.apple.com:443 failures=2"),
            1u)
    << log_.text();
}

TEST_F(connection_board_test, a_host_that_fails_and_answers_in_turn_does_not_fill_the_log) {
  for (int i = 0; i < 100; ++i) {
    fail();
    board_.answered(apns);
    clock_.advance(100ms);
  }
  EXPECT_EQ(logged("event=no_connection"), 2u);
  EXPECT_EQ(logged("event=connected"), 2u);
  clock_.advance(5s);
  fail();
  EXPECT_EQ(logged("event=no_connection"), 3u) << "a new outage is told at once";
}

TEST_F(connection_board_test, one_that_worked_and_was_lost_is_no_host_that_cannot_be_connected_to) {
  board_.answered(apns);
  board_.lost(apns, connection_fault::silence, "no answer to a PING");
  EXPECT_TRUE(breakers_.list().empty());
  EXPECT_EQ(logged("event=connection_lost"), 1u);
  fail();
  EXPECT_EQ(logged("event=no_connection"), 1u) << "it is told at once that no new one can be made";
}

TEST_F(connection_board_test, failures_are_counted_by_fault) {
  fail();
  fail();
  board_.lost(apns, connection_fault::closed, "closed by the peer");
  fail(oauth);
  const auto counted = board_.list();
  ASSERT_EQ(counted.size(), 3u);
  EXPECT_EQ(counted[0].fault, connection_fault::resolve);
  EXPECT_EQ(counted[0].count, 2);
  EXPECT_EQ(counted[1].fault, connection_fault::closed);
  EXPECT_EQ(counted[1].count, 1);
  EXPECT_EQ(counted[2].place, oauth);
}

} // namespace
} // namespace signalbox
