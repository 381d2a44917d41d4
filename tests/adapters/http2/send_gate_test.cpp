#include "adapters/http2/send_gate.hpp"

#include <gtest/gtest.h>

using namespace signalbox;
using namespace std::chrono_literals;

namespace {

class send_gate_test : public testing::Test {
protected:
  void confirm(int times) {
    for (int i = 0; i < times; ++i)
      gate_.confirm();
  }

  send_gate gate_{"test"};
  const send_gate::clock::time_point start_{1'000s};
};

TEST_F(send_gate_test, is_open_until_somebody_is_throttled) {
  EXPECT_EQ(gate_.admit(start_), send_gate::unlimited);
  gate_.confirm();
  EXPECT_EQ(gate_.admit(start_), send_gate::unlimited);
  EXPECT_FALSE(gate_.is_closed());
}

TEST_F(send_gate_test, nothing_leaves_before_retry_after_is_over_and_then_one_request) {
  gate_.throttle(start_, 3s);
  EXPECT_TRUE(gate_.is_closed());
  EXPECT_EQ(gate_.admit(start_ + 2999ms), 0u);
  EXPECT_EQ(gate_.ask_again(start_ + 1s), start_ + 3s);
  EXPECT_EQ(gate_.admit(start_ + 3s), 1u);
  EXPECT_EQ(gate_.admit(start_ + 3s), 0u);
  EXPECT_GT(gate_.ask_again(start_ + 3s), start_ + 3s);
  gate_.confirm();
  EXPECT_EQ(gate_.admit(start_ + 3s), send_gate::unlimited);
}

TEST_F(send_gate_test, without_retry_after_it_waits_a_minute) {
  gate_.throttle(start_, 0s);
  EXPECT_EQ(gate_.admit(start_ + 59s), 0u);
  EXPECT_EQ(gate_.admit(start_ + 60s), 1u);
}

TEST_F(send_gate_test, answers_to_what_had_left_before_change_nothing_but_a_longer_wish) {
  gate_.throttle(start_, 3s);
  gate_.throttle(start_, 3s);
  gate_.confirm();
  EXPECT_EQ(gate_.admit(start_ + 2s), 0u);
  gate_.throttle(start_ + 1s, 5s);
  EXPECT_EQ(gate_.admit(start_ + 5s), 0u);
  EXPECT_EQ(gate_.admit(start_ + 6s), 1u);
}

TEST_F(send_gate_test, a_late_answer_with_a_shorter_wish_or_none_shortens_nothing) {
  gate_.throttle(start_, 100s);
  gate_.throttle(start_ + 1s, 2s);
  EXPECT_EQ(gate_.ask_again(start_ + 1s), start_ + 100s);
  gate_.throttle(start_ + 2s, 0s);
  EXPECT_EQ(gate_.ask_again(start_ + 2s), start_ + 100s);
  EXPECT_EQ(gate_.admit(start_ + 99s), 0u);
  EXPECT_EQ(gate_.admit(start_ + 100s), 1u);
}

TEST_F(send_gate_test, a_wait_that_was_of_no_use_is_doubled) {
  gate_.throttle(start_, 3s);
  EXPECT_EQ(gate_.admit(start_ + 3s), 1u);
  gate_.throttle(start_ + 3s, 1s);
  EXPECT_EQ(gate_.admit(start_ + 8999ms), 0u);
  EXPECT_EQ(gate_.admit(start_ + 9s), 1u);
  confirm(1);
  gate_.throttle(start_ + 10s, 20s); // the provider's wish is longer
  EXPECT_EQ(gate_.admit(start_ + 29s), 0u);
  EXPECT_EQ(gate_.admit(start_ + 30s), 1u);
}

TEST_F(send_gate_test, after_a_hundred_answers_the_wait_starts_anew) {
  gate_.throttle(start_, 3s);
  EXPECT_EQ(gate_.admit(start_ + 3s), 1u);
  confirm(100);
  gate_.throttle(start_ + 4s, 2s);
  EXPECT_EQ(gate_.admit(start_ + 6s), 1u);
}

TEST_F(send_gate_test, answers_to_what_had_left_count_for_the_wait_before) {
  gate_.throttle(start_, 3s);
  EXPECT_EQ(gate_.admit(start_ + 3s), 1u);
  confirm(1);
  for (int i = 0; i < 3; ++i)
    gate_.throttle(start_ + 3s, 3s);
  confirm(2);
  EXPECT_EQ(gate_.admit(start_ + 6s), 1u);
  confirm(1);
  for (int i = 0; i < 3; ++i)
    gate_.throttle(start_ + 6s, 3s);
  confirm(1);
  EXPECT_EQ(gate_.admit(start_ + 9s), 0u) << "429 outnumbered the others";
  EXPECT_EQ(gate_.admit(start_ + 12s), 1u);
}

TEST_F(send_gate_test, a_request_that_did_not_leave_is_anothers) {
  gate_.throttle(start_, 1s);
  EXPECT_EQ(gate_.admit(start_ + 1s), 1u);
  gate_.give_back();
  EXPECT_EQ(gate_.admit(start_ + 1s), 1u);
}

TEST_F(send_gate_test, a_request_without_an_answer_is_not_waited_for_forever) {
  gate_.throttle(start_, 1s);
  EXPECT_EQ(gate_.admit(start_ + 1s), 1u);
  EXPECT_EQ(gate_.admit(start_ + 10s), 0u);
  EXPECT_EQ(gate_.admit(start_ + 11s), 1u);
}

TEST_F(send_gate_test, doubling_has_an_end) {
  auto now = start_;
  for (int i = 0; i < 20; ++i) {
    gate_.throttle(now, 1s);
    gate_.admit(now + 300s); // when it is judged is not when it is over
    now += 600s;
    ASSERT_EQ(gate_.admit(now), 1u) << i;
  }
}

} // namespace
