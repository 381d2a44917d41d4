#include "actors/fcm_reactions.hpp"
#include "adapters/fcm/access_token.hpp"

#include <gtest/gtest.h>

#include <vector>

using namespace signalbox;
using namespace std::chrono_literals;

namespace {

class access_token_test : public testing::Test {
protected:
  access_token_test() {
    token_.on_refused([this](unsigned in_a_row) { wishes_.push_back(in_a_row); });
    renew();
  }

  /// A token that lives for an hour, at the moment.
  void renew() { token_.put({"Bearer x", "/v1", 0}, now_ + 1h); }

  /// Uses the current one for so long; then FCM refuses it.
  bool refused_after(std::chrono::seconds used) {
    const auto current = token_.current(now_);
    EXPECT_NE(current, nullptr);
    now_ += used;
    return token_.report_refused(current->serial, now_);
  }

  access_token token_{"project"};
  access_token::clock::time_point now_{1h};
  std::vector<unsigned> wishes_;
};

TEST_F(access_token_test, one_that_is_refused_is_not_used_again_and_another_one_wanted_once) {
  const auto serial = token_.current(now_)->serial;
  EXPECT_FALSE(token_.report_refused(serial, now_));
  EXPECT_FALSE(token_.report_refused(serial, now_));
  EXPECT_EQ(token_.current(now_), nullptr);
  EXPECT_EQ(wishes_, std::vector{1u});
}

TEST_F(access_token_test, keys_that_change_twice_in_ten_minutes_are_no_fault_of_the_account) {
  for (const auto used : {40min, 4min, 3min, 1min, 1min}) {
    EXPECT_FALSE(refused_after(used));
    EXPECT_EQ(token_.current(now_), nullptr);
    renew();
    EXPECT_NE(token_.current(now_), nullptr) << "a fresh one is used";
  }
  EXPECT_EQ(wishes_, (std::vector{1u, 1u, 1u, 1u, 1u}));
}

TEST_F(access_token_test, keys_that_change_twice_at_once_are_not_either) {
  EXPECT_FALSE(refused_after(1s));
  renew();
  EXPECT_FALSE(refused_after(1s));
  renew();
  EXPECT_NE(token_.current(now_), nullptr);
}

TEST_F(access_token_test, three_in_a_row_that_were_never_taken_are) {
  EXPECT_FALSE(refused_after(0s));
  renew();
  EXPECT_FALSE(refused_after(1s));
  renew();
  EXPECT_TRUE(refused_after(1s));
  EXPECT_NE(token_.current(now_), nullptr) << "a probe needs one";
  EXPECT_EQ(wishes_, (std::vector{1u, 2u, 3u}));
  renew();
  EXPECT_FALSE(refused_after(5min)) << "it had been taken: the account was mended";
}

} // namespace
