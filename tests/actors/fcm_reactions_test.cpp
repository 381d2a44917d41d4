#include "actors/fcm_reactions.hpp"

#include <gtest/gtest.h>

#include <set>
#include <string>
#include <vector>

using namespace signalbox;
using namespace std::chrono_literals;

namespace {

using action = verdict::action;

answer answered(std::uint16_t status, std::string reason) {
  answer from;
  from.status = status;
  from.reason = std::move(reason);
  return from;
}

answer unanswered(answer_kind kind, std::string_view text = {}) {
  answer from;
  from.kind = kind;
  from.reason = text;
  return from;
}

struct row {
  std::uint16_t status;
  std::string code;
  fcm_reaction want;
};

constexpr fcm_reaction rejected{.what = action::reject};
constexpr fcm_reaction paused{.what = action::retry, .trouble = trouble::configuration};
constexpr fcm_reaction slowed{.what = action::retry, .wait_at_least = 60s};
constexpr fcm_reaction backed_off{.what = action::retry};
constexpr fcm_reaction outage{.what = action::retry, .trouble = trouble::outage};
constexpr fcm_reaction unavailable{
  .what = action::retry, .trouble = trouble::outage, .wait_at_least = 10s};

// Firebase's table, each row with what the reference asks for.
const std::vector<row> expected_rows{
  {400, "INVALID_ARGUMENT", rejected},
  {400, "INVALID_ARGUMENT:message.token", {.invalidate = invalidation::bad_token}},
  {400, "FAILED_PRECONDITION", rejected},
  {401, "THIRD_PARTY_AUTH_ERROR", rejected},
  {401, "UNAUTHENTICATED", {.what = action::retry, .refresh_token = true}},
  {401, "credentials_refused", paused},
  {403, "PERMISSION_DENIED", paused},
  {403, "SENDER_ID_MISMATCH", {.invalidate = invalidation::bad_token}},
  {404, "NOT_FOUND", rejected},
  {404, "UNREGISTERED", {.invalidate = invalidation::unregistered}},
  {429, "QUOTA_EXCEEDED", slowed},
  {429, "RESOURCE_EXHAUSTED", slowed},
  {500, "INTERNAL", outage},
  {503, "UNAVAILABLE", unavailable},
};

class fcm_row : public testing::TestWithParam<row> {};

TEST_P(fcm_row, has_its_reaction) {
  const auto& [status, code, want] = GetParam();
  EXPECT_EQ(classify_fcm(answered(status, code)), want);
  const auto judged = judge_fcm(answered(status, code));
  EXPECT_EQ(judged.what, want.what);
  EXPECT_EQ(judged.trouble, want.trouble);
  EXPECT_EQ(judged.invalidate, want.invalidate);
  EXPECT_EQ(judged.throttled, status == 429);
  EXPECT_EQ(judged.reason, code);
  EXPECT_EQ(judged.retry_after.value_or(0s), want.wait_at_least);
}

INSTANTIATE_TEST_SUITE_P(fcm_reactions, fcm_row, testing::ValuesIn(expected_rows),
                         [](const auto& info) {
                           auto name = std::to_string(info.param.status) + "_" + info.param.code;
                           for (auto& c : name)
                             c = std::isalnum(static_cast<unsigned char>(c)) ? c : '_';
                           return name;
                         });

TEST(fcm_reactions, every_row_of_the_table_is_tested) {
  std::set<std::pair<std::uint16_t, std::string>> tested;
  for (const auto& [status, code, want] : expected_rows)
    tested.emplace(status, code);
  for (const auto& in_table : fcm_code_table())
    EXPECT_EQ(tested.count({in_table.status, std::string{in_table.code}}), 1u) << in_table.code;
  EXPECT_EQ(fcm_code_table().size(), expected_rows.size());
}

TEST(fcm_reactions, a_field_behind_the_code_blames_no_token) {
  const auto judged = judge_fcm(answered(400, "INVALID_ARGUMENT:message.android.ttl"));
  EXPECT_EQ(judged.what, action::reject);
  EXPECT_EQ(judged.invalidate, invalidation::none);
  EXPECT_EQ(judged.reason, "INVALID_ARGUMENT:message.android.ttl");
}

struct by_status {
  std::uint16_t status;
  fcm_reaction want;
};

class fcm_status : public testing::TestWithParam<by_status> {};

TEST_P(fcm_status, decides_for_an_unknown_code_and_keeps_its_text) {
  EXPECT_EQ(classify_fcm(answered(GetParam().status, "NEW_CODE")), GetParam().want);
  EXPECT_EQ(judge_fcm(answered(GetParam().status, "NEW_CODE")).reason, "NEW_CODE");
}

INSTANTIATE_TEST_SUITE_P(fcm_reactions, fcm_status,
                         testing::Values(by_status{400, rejected}, by_status{401, rejected},
                                         by_status{403, rejected}, by_status{404, rejected},
                                         by_status{408, backed_off}, by_status{413, rejected},
                                         by_status{429, slowed}, by_status{500, outage},
                                         by_status{502, outage}, by_status{503, unavailable},
                                         by_status{302, outage}),
                         [](const auto& info) { return std::to_string(info.param.status); });

TEST(fcm_reactions, a_code_under_another_status_is_not_trusted) {
  EXPECT_EQ(classify_fcm(answered(500, "UNREGISTERED")).invalidate, invalidation::none);
  EXPECT_EQ(classify_fcm(answered(404, "NOT_FOUND")).invalidate, invalidation::none);
}

TEST(fcm_reactions, an_answer_without_a_code_is_named_after_its_status) {
  EXPECT_EQ(judge_fcm(answered(502, "")).reason, "http_502");
}

TEST(fcm_reactions, retry_after_goes_before_our_own_wait) {
  for (const auto* code : {"QUOTA_EXCEEDED", "UNAVAILABLE"}) {
    auto from = answered(code[0] == 'Q' ? 429 : 503, code);
    from.retry_after_s = 2;
    EXPECT_EQ(judge_fcm(from).retry_after, 2s);
  }
}

TEST(fcm_reactions, an_unanswered_request_is_unknown) {
  const auto judged = judge_fcm(unanswered(answer_kind::unknown, "request timeout"));
  EXPECT_EQ(judged.what, action::unknown);
  EXPECT_EQ(judged.trouble, trouble::outage);
  EXPECT_EQ(judged.reason, "request timeout");
  EXPECT_EQ(judge_fcm(unanswered(answer_kind::unknown)).reason, "no_answer");
}

TEST(fcm_reactions, what_was_not_sent_is_charged_to_nobody) {
  struct expectation {
    std::string_view text;
    trouble means;
  };
  for (const auto& [text, means] :
       {expectation{"", trouble::outage}, expectation{fcm_no_access_token, trouble::outage},
        expectation{fcm_paced, trouble::outage},
        expectation{fcm_no_credentials, trouble::configuration},
        expectation{fcm_orderly_refusal, trouble::none}, expectation{fcm_stopping, trouble::none},
        expectation{fcm_too_late, trouble::none}}) {
    const auto judged = judge_fcm(unanswered(answer_kind::unsent, text));
    EXPECT_EQ(judged.what, action::unsent) << text;
    EXPECT_EQ(judged.trouble, means) << text;
  }
  EXPECT_EQ(judge_fcm(unanswered(answer_kind::unsent)).reason, "not_sent");
}

} // namespace
