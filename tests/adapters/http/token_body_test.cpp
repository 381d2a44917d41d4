#include "adapters/http/token_body.hpp"

#include <gtest/gtest.h>

#include <string>
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
  EXPECT_EQ(pointers(batch.refusals), "/tokens/2/token /tokens/3/colour /tokens/4/topics/1 "
                                      "/tokens/5/id /tokens/6 ");
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

} // namespace

} // namespace signalbox::http
