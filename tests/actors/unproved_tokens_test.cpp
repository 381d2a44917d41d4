#include "actors/unproved_tokens.hpp"

#include <gtest/gtest.h>

namespace signalbox {
namespace {

late_invalidation blamed(token_id token, std::int64_t at = 0) {
  return {token, "BadDeviceToken", timestamp{std::chrono::milliseconds{at}}};
}

TEST(unproved_tokens, leave_in_the_order_they_came) {
  unproved_tokens under_test;
  for (token_id each = 1; each <= 3; ++each)
    under_test.add(blamed(each));
  under_test.forget(2);
  under_test.forget(7);
  EXPECT_EQ(under_test.take().token, 1);
  EXPECT_EQ(under_test.take().token, 3);
  EXPECT_TRUE(under_test.empty());
}

TEST(unproved_tokens, the_last_answer_about_a_token_counts) {
  unproved_tokens under_test;
  under_test.add(blamed(1, 10));
  under_test.add(blamed(1, 20));
  EXPECT_EQ(under_test.size(), 1u);
  EXPECT_EQ(under_test.take().at, timestamp{std::chrono::milliseconds{20}});
}

TEST(unproved_tokens, beyond_four_thousand_the_oldest_is_forgotten) {
  unproved_tokens under_test;
  for (token_id each = 1; each <= 100'000; ++each)
    under_test.add(blamed(each));
  EXPECT_EQ(under_test.size(), 4'096u);
  EXPECT_EQ(under_test.take().token, 100'001 - 4'096);
}

} // namespace
} // namespace signalbox
