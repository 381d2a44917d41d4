#include "actors/refusals.hpp"

#include <gtest/gtest.h>

namespace signalbox {
namespace {

constexpr auto reason = "InvalidProviderToken";

std::vector<refused_target> one(token_id token, bool alone = true) {
  return {{token, alone}};
}

TEST(refusals, one_target_is_no_evidence_however_often_it_says_so) {
  refusals under_test;
  for (int i = 0; i < 100; ++i)
    EXPECT_FALSE(under_test.add(reason, one(7)));
  EXPECT_TRUE(under_test.any());
}

TEST(refusals, a_second_target_that_says_the_same_is_evidence) {
  refusals under_test;
  EXPECT_FALSE(under_test.add(reason, one(7)));
  EXPECT_TRUE(under_test.add(reason, one(8)));
  refusals both_at_once;
  EXPECT_TRUE(both_at_once.add(reason, {{7, true}, {8, true}}));
}

TEST(refusals, another_reason_does_not_say_the_same) {
  refusals under_test;
  EXPECT_FALSE(under_test.add("InvalidProviderToken", one(7)));
  EXPECT_FALSE(under_test.add("TopicDisallowed", one(8)));
  EXPECT_TRUE(under_test.add("InvalidProviderToken", one(9))) << "they alternate";
}

TEST(refusals, with_a_success_between_there_is_none) {
  refusals under_test;
  EXPECT_FALSE(under_test.add(reason, one(7)));
  under_test.accepted();
  EXPECT_FALSE(under_test.any());
  EXPECT_FALSE(under_test.add(reason, one(8)));
}

TEST(refusals, a_request_that_left_before_a_success_is_none) {
  refusals under_test;
  EXPECT_FALSE(under_test.add(reason, one(7, false)));
  EXPECT_FALSE(under_test.add(reason, one(8, false)));
  EXPECT_FALSE(under_test.add(reason, one(9)));
  EXPECT_TRUE(under_test.add(reason, one(7))) << "its next try is";
}

TEST(refusals, who_was_refused_while_others_were_accepted_is_at_fault_also_later) {
  refusals under_test;
  for (token_id each = 0; each < 20; ++each)
    EXPECT_FALSE(under_test.add(reason, one(each, false)));
  under_test.accepted();
  for (token_id each = 0; each < 20; ++each)
    EXPECT_FALSE(under_test.add(reason, one(each))) << "its retries, when nothing else is sent";
  EXPECT_FALSE(under_test.any()) << "nor does anybody wait for a success";
  under_test.forget();
  EXPECT_FALSE(under_test.add(reason, one(1)));
  EXPECT_TRUE(under_test.add(reason, one(2))) << "with other credentials it is as new";
}

TEST(refusals, the_oldest_at_fault_is_forgotten_beyond_four_thousand) {
  refusals under_test;
  for (token_id each = 0; each < 5'000; ++each) {
    under_test.add(reason, one(each, false));
    under_test.accepted();
  }
  EXPECT_FALSE(under_test.add(reason, one(4'999)));
  EXPECT_FALSE(under_test.any());
  under_test.add(reason, one(0));
  EXPECT_TRUE(under_test.any());
}

TEST(refusals, reasons_without_end_are_bounded) {
  refusals under_test;
  for (token_id each = 0; each < 1'000; ++each)
    EXPECT_FALSE(under_test.add("reason " + std::to_string(each), one(each)));
}

} // namespace
} // namespace signalbox
