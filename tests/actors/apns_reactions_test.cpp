#include "actors/apns_reactions.hpp"

#include <gtest/gtest.h>

#include <set>
#include <string>
#include <vector>

using namespace signalbox;

namespace {

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
  std::string reason;
  apns_reaction want;
};

constexpr apns_reaction rejected{.action = apns_action::reject};
constexpr apns_reaction paused{.action = apns_action::retry, .configuration = true};
constexpr apns_reaction topic_paused{
  .action = apns_action::retry, .about_topic = true, .configuration = true};
constexpr apns_reaction reconnected{.action = apns_action::retry, .reconnect = true};
constexpr apns_reaction backed_off{.action = apns_action::retry};
constexpr apns_reaction outage{.action = apns_action::retry, .outage = true};

// Apple's table, each row with what the reference asks for.
const std::vector<row> expected_rows{
  {400, "BadCollapseId", rejected},
  {400, "BadDeviceToken", {.invalidate = invalidation::bad_token}},
  {400, "BadExpirationDate", rejected},
  {400, "BadMessageId", rejected},
  {400, "BadPriority", rejected},
  {400, "BadTopic", topic_paused},
  {400, "DeviceTokenNotForTopic", {.invalidate = invalidation::bad_token, .about_topic = true}},
  {400, "DuplicateHeaders", rejected},
  {400, "IdleTimeout", reconnected},
  {400, "InvalidPushType", rejected},
  {400, "MissingDeviceToken", rejected},
  {400, "MissingTopic", topic_paused},
  {400, "PayloadEmpty", rejected},
  {400, "TopicDisallowed", topic_paused},
  {403, "BadCertificate", paused},
  {403, "BadCertificateEnvironment", paused},
  {403, "BadEnvironmentKeyIdInToken", paused},
  {403,
   "ExpiredProviderToken",
   {.action = apns_action::retry, .refresh_token = true, .outage = true}},
  {403, "Forbidden", paused},
  {403, "InvalidProviderToken", paused},
  {403, "MissingProviderToken", paused},
  {403, "UnrelatedKeyIdInToken", reconnected},
  {403, "token_replaced", backed_off},
  {404, "BadPath", rejected},
  {405, "MethodNotAllowed", rejected},
  {410, "ExpiredToken", {.invalidate = invalidation::unregistered}},
  {410, "Unregistered", {.invalidate = invalidation::unregistered}},
  {413, "PayloadTooLarge", rejected},
  {429, "TooManyProviderTokenUpdates", outage},
  {429, "TooManyRequests", backed_off},
  {500, "InternalServerError", outage},
  {503, "ServiceUnavailable", outage},
  {503, "Shutdown", {.action = apns_action::retry, .reconnect = true, .outage = true}},
};

class apns_row : public testing::TestWithParam<row> {};

TEST_P(apns_row, has_its_reaction) {
  const auto& [status, reason, want] = GetParam();
  const auto verdict = classify_apns(answered(status, reason));
  EXPECT_EQ(static_cast<const apns_reaction&>(verdict), want);
  EXPECT_EQ(verdict.reason, reason);
  EXPECT_FALSE(verdict.retry_after);
}

INSTANTIATE_TEST_SUITE_P(apns_reactions, apns_row, testing::ValuesIn(expected_rows),
                         [](const auto& info) {
                           return std::to_string(info.param.status) + "_" + info.param.reason;
                         });

TEST(apns_reactions, every_row_of_the_table_is_tested) {
  std::set<std::pair<std::uint16_t, std::string>> tested;
  for (const auto& [status, reason, want] : expected_rows)
    tested.emplace(status, reason);
  for (const auto& in_table : apns_reason_table())
    EXPECT_EQ(tested.count({in_table.status, std::string{in_table.reason}}), 1u) << in_table.reason;
  EXPECT_EQ(apns_reason_table().size(), expected_rows.size());
}

TEST(apns_reactions, only_reasons_that_name_the_token_invalidate_it) {
  const std::set<std::string_view> naming{"BadDeviceToken", "DeviceTokenNotForTopic",
                                          "Unregistered", "ExpiredToken"};
  for (const auto& in_table : apns_reason_table())
    EXPECT_EQ(in_table.reaction.invalidate != invalidation::none, naming.contains(in_table.reason))
      << in_table.reason;
}

TEST(apns_reactions, a_topic_that_the_caller_set_is_that_jobs_own_fault) {
  for (const auto* reason :
       {"BadTopic", "MissingTopic", "TopicDisallowed", "DeviceTokenNotForTopic"}) {
    auto from = answered(400, reason);
    from.callers_topic = true;
    const auto verdict = classify_apns(from);
    EXPECT_EQ(static_cast<const apns_reaction&>(verdict), rejected) << reason;
    EXPECT_EQ(verdict.reason, reason);
  }
  auto other = answered(403, "InvalidProviderToken");
  other.callers_topic = true;
  EXPECT_TRUE(classify_apns(other).configuration);
}

struct by_status {
  std::uint16_t status;
  apns_reaction want;
};

class apns_status : public testing::TestWithParam<by_status> {};

TEST_P(apns_status, decides_for_an_unknown_reason_and_keeps_its_text) {
  const auto verdict = classify_apns(answered(GetParam().status, "NewReason"));
  EXPECT_EQ(static_cast<const apns_reaction&>(verdict), GetParam().want);
  EXPECT_EQ(verdict.reason, "NewReason");
}

INSTANTIATE_TEST_SUITE_P(apns_reactions, apns_status,
                         testing::Values(by_status{400, rejected}, by_status{401, rejected},
                                         by_status{403, rejected}, by_status{404, rejected},
                                         by_status{408, backed_off}, by_status{410, rejected},
                                         by_status{429, backed_off}, by_status{500, outage},
                                         by_status{502, outage}, by_status{503, outage},
                                         by_status{302, outage}),
                         [](const auto& info) { return std::to_string(info.param.status); });

TEST(apns_reactions, a_reason_under_another_status_is_not_trusted) {
  EXPECT_EQ(classify_apns(answered(500, "BadDeviceToken")).invalidate, invalidation::none);
}

TEST(apns_reactions, an_answer_without_a_reason_is_named_after_its_status) {
  EXPECT_EQ(classify_apns(answered(502, "")).reason, "http_502");
}

TEST(apns_reactions, retry_after_is_handed_on) {
  auto from = answered(503, "ServiceUnavailable");
  from.retry_after_s = 7;
  EXPECT_EQ(classify_apns(from).retry_after, std::chrono::seconds{7});
}

TEST(apns_reactions, an_unanswered_request_is_unknown) {
  const auto verdict = classify_apns(unanswered(answer_kind::unknown, "request timeout"));
  EXPECT_EQ(verdict.action, apns_action::unknown);
  EXPECT_TRUE(verdict.outage);
  EXPECT_EQ(verdict.reason, "request timeout");
  EXPECT_EQ(classify_apns(unanswered(answer_kind::unknown)).reason, "no_answer");
}

TEST(apns_reactions, an_unsent_request_is_retried_and_counts_as_an_outage) {
  const auto verdict = classify_apns(unanswered(answer_kind::unsent));
  EXPECT_EQ(verdict.action, apns_action::retry);
  EXPECT_TRUE(verdict.outage);
  EXPECT_EQ(verdict.reason, "not_sent");
}

TEST(apns_reactions, what_was_turned_away_in_order_is_no_outage) {
  for (const auto text : {apns_orderly_refusal, apns_stopping}) {
    const auto verdict = classify_apns(unanswered(answer_kind::unsent, text));
    EXPECT_EQ(verdict.action, apns_action::retry);
    EXPECT_FALSE(verdict.outage);
  }
}

TEST(apns_reactions, missing_credentials_pause_the_app) {
  EXPECT_TRUE(classify_apns(unanswered(answer_kind::unsent, apns_no_credentials)).configuration);
}

} // namespace
