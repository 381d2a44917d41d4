#include "adapters/apns/channel_answer.hpp"

#include <gtest/gtest.h>

namespace signalbox {
namespace {

result<unit> judge(std::uint16_t status, const std::string& body) {
  http2_response response;
  response.end = stream_end::complete;
  response.status = status;
  response.body = body;
  return judge_channel_refusal(response);
}

std::string because(const std::string& reason) {
  return R"({"reason":")" + reason + "\"}";
}

TEST(channel_answer_test, every_reason_comes_to_what_can_be_done_about_it) {
  struct expectation {
    std::uint16_t status;
    std::string reason;
    errc code;
  };
  for (const auto& [status, reason, code] : {
         expectation{400, "ChannelNotRegistered", errc::not_found},
         expectation{400, "BadChannelId", errc::invalid},
         expectation{400, "CannotCreateChannelConfig", errc::conflict},
         expectation{400, "FeatureNotEnabled", errc::conflict},
         expectation{400, "TopicDisallowed", errc::conflict},
         expectation{403, "InvalidProviderToken", errc::conflict},
         expectation{403, "ExpiredProviderToken", errc::unavailable},
         expectation{400, "SomethingNew", errc::conflict},
         expectation{429, "TooManyRequests", errc::unavailable},
         expectation{500, "InternalServerError", errc::unavailable},
         expectation{503, "ServiceUnavailable", errc::unavailable},
       }) {
    const auto judged = judge(status, because(reason));
    EXPECT_EQ(judged.code, code) << reason;
    EXPECT_NE(judged.message.find(std::to_string(status) + " " + reason), std::string::npos)
      << judged.message;
  }
}

TEST(channel_answer_test, a_body_without_a_reason_is_judged_by_the_status) {
  for (const std::string body : {"", "x", "[]", R"({"reason":1})"}) {
    EXPECT_EQ(judge(503, body).code, errc::unavailable);
    EXPECT_EQ(judge(404, body).code, errc::conflict);
    EXPECT_NE(judge(404, body).message.find("(APNs: 404)"), std::string::npos);
  }
}

TEST(channel_answer_test, lists_are_sorted) {
  const auto read = read_channel_list(R"({"channels":["b","c","a"]})");
  ASSERT_TRUE(read.ok());
  EXPECT_EQ(read.value, (std::vector<std::string>{"a", "b", "c"}));
  EXPECT_TRUE(read_channel_list(R"({"channels":[]})").value.empty());
}

TEST(channel_answer_test, what_is_no_list_is_said) {
  for (const std::string body : {"", "[]", "{}", R"({"channels":1})", R"({"channels":[1]})"})
    EXPECT_EQ(read_channel_list(body).code, errc::unavailable) << body;
}

} // namespace
} // namespace signalbox
