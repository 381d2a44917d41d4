#include "adapters/http/rfc3339.hpp"
#include "adapters/http/token_body.hpp"

#include <boost/json.hpp>
#include <gtest/gtest.h>

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace signalbox::http {

namespace {

std::string pointers(const std::vector<field_error>& errors) {
  std::string out;
  for (const auto& error : errors)
    out += error.pointer + ' ';
  return out;
}

TEST(token_body_test, reads_good_entries_and_refuses_each_bad_one_once) {
  std::vector<field_error> errors;
  auto batch = read_token_batch(R"({"tokens":[
    {"id":"u","platform":"apns","token":"ABcd","environment":"sandbox","topics":["a","b"]},
    {"platform":"fcm","token":"x:y-Z_"},
    {"platform":"apns","token":"xyz"},
    {"platform":"apns","token":"ab","colour":1},
    {"platform":"apns","token":"ab","topics":["a",""]},
    {"id":"","platform":"nokia","token":""},
    17]})",
                                errors);
  EXPECT_TRUE(errors.empty());
  ASSERT_EQ(batch.tokens.size(), 2u);
  EXPECT_EQ(batch.tokens[0].user, "u");
  EXPECT_EQ(batch.tokens[0].provider, platform::apns);
  EXPECT_EQ(batch.tokens[0].env, environment::sandbox);
  EXPECT_EQ(batch.tokens[0].token, "abcd");
  EXPECT_EQ(batch.tokens[0].topics, (std::vector<std::string>{"a", "b"}));
  EXPECT_EQ(batch.tokens[1].user, "");
  EXPECT_EQ(batch.tokens[1].token, "x:y-Z_");
  const auto answer = boost::json::parse(batch.refusals.answer(2, 0).body);
  std::string refused;
  for (const auto& error : answer.at("errors").as_array())
    refused.append(error.at("pointer").as_string()) += ' ';
  EXPECT_EQ(refused, "/tokens/2/token /tokens/3/colour /tokens/4/topics/1 /tokens/5/id /tokens/6 ");
  EXPECT_EQ(answer.at("refused").as_int64(), 5);
}

TEST(token_body_test, refuses_a_body_that_is_no_batch) {
  for (auto [text, expected] :
       {std::pair{"", " "}, std::pair{"[]", " "}, std::pair{"{}", "/tokens "},
        std::pair{R"({"tokens":[]})", "/tokens "}, std::pair{R"({"tokens":{}})", "/tokens "},
        std::pair{R"({"token":[],"tokens":[1]})", "/token "}}) {
    std::vector<field_error> errors;
    read_token_batch(text, errors);
    EXPECT_EQ(pointers(errors), expected) << text;
  }
}

TEST(token_body_test, takes_ten_thousand_and_no_more) {
  std::string entry = R"({"platform":"apns","token":"ab"})";
  std::string text = R"({"tokens":[)" + entry;
  for (int i = 1; i < 10'000; ++i)
    text += ',' + entry;
  std::vector<field_error> errors;
  EXPECT_EQ(read_token_batch(text + "]}", errors).tokens.size(), 10'000u);
  EXPECT_TRUE(errors.empty());
  read_token_batch(text + ',' + entry + "]}", errors);
  EXPECT_EQ(pointers(errors), "/tokens ");
}

const timestamp now = *parse_rfc3339("2026-01-31T12:00:00Z");

std::optional<activity_token_registration> read_activity_token(std::string_view text,
                                                               std::vector<field_error>& errors) {
  json_document document{text};
  json_reader in{errors};
  return read_activity_registration(document.root(), {}, now, in);
}

TEST(token_body_test, reads_a_token_of_live_activities) {
  std::vector<field_error> errors;
  auto token = read_activity_token(
    R"({"userId":"u","topicId":"t","activityId":"a","platform":"apns","tokenType":"update",
        "token":"ABcd","environment":"sandbox","expiresAt":"2026-01-31T13:00:00Z"})",
    errors);
  ASSERT_TRUE(errors.empty() && token);
  EXPECT_EQ(token->user, "u");
  EXPECT_EQ(token->topic, "t");
  EXPECT_EQ(token->activity, "a");
  EXPECT_EQ(token->provider, platform::apns);
  EXPECT_EQ(token->env, environment::sandbox);
  EXPECT_EQ(token->kind, token_kind::update);
  EXPECT_EQ(token->token, "abcd");
  EXPECT_EQ(token->expires_at, now + std::chrono::hours{1});

  token = read_activity_token(
    R"({"userId":"u","platform":"apns","tokenType":"start","token":"ab"})", errors);
  ASSERT_TRUE(errors.empty() && token);
  EXPECT_EQ(token->kind, token_kind::start);
  EXPECT_EQ(token->topic + token->activity, "");
  EXPECT_FALSE(token->expires_at);
}

TEST(token_body_test, refuses_a_bad_token_of_live_activities) {
  for (auto [members, expected] :
       {std::pair{R"("platform":"apns","tokenType":"start","token":"ab")", "/userId "},
        std::pair{R"("userId":"u","platform":"apns","token":"ab")", "/tokenType "},
        std::pair{R"("userId":"u","platform":"apns","tokenType":"push","token":"ab")",
                  "/tokenType "},
        std::pair{R"("userId":"u","platform":"fcm","tokenType":"start","token":"ab")",
                  "/tokenType "},
        std::pair{R"("userId":"u","tokenType":"start","token":"ab")", "/platform "},
        std::pair{R"("userId":"u","platform":"apns","tokenType":"start")", "/token "},
        std::pair{R"("userId":"u","platform":"apns","tokenType":"start","token":"x")", "/token "},
        std::pair{R"("userId":"u","platform":"fcm","tokenType":"update","token":"x",
                     "environment":"sandbox")",
                  "/environment "},
        std::pair{R"("userId":"","topicId":1,"activityId":"a\u0007","platform":"apns",
                     "tokenType":"update","token":"ab")",
                  "/userId /topicId /activityId "},
        std::pair{R"("userId":"u","platform":"apns","tokenType":"update","token":"ab",
                     "expiresAt":1769860800)",
                  "/expiresAt "},
        std::pair{R"("userId":"u","platform":"apns","tokenType":"update","token":"ab",
                     "expiresAt":"soon")",
                  "/expiresAt "},
        std::pair{R"("userId":"u","platform":"apns","tokenType":"update","token":"ab","id":"u")",
                  "/id "}}) {
    std::vector<field_error> errors;
    read_activity_token('{' + std::string{members} + '}', errors);
    EXPECT_EQ(pointers(errors), expected) << members;
  }
}

TEST(token_body_test, names_a_token_of_live_activities) {
  for (auto [text, expected] :
       {std::pair{"[]", " "}, std::pair{"{}", "/userId /token "},
        std::pair{R"({"userId":"","token":"a b"})", "/userId /token "},
        std::pair{R"({"userId":"u","token":1,"platform":"fcm"})", "/token /platform "}}) {
    std::vector<field_error> errors;
    json_document document{text};
    json_reader in{errors};
    read_activity_token_name(document.root(), {}, in);
    EXPECT_EQ(pointers(errors), expected) << text;
  }
}

} // namespace

} // namespace signalbox::http
