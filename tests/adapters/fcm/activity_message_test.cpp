#include "adapters/fcm/activity_message.hpp"
#include "adapters/fcm/render.hpp"

#include <gtest/gtest.h>

#include <string>

using namespace signalbox;
using namespace std::chrono_literals;

namespace {

const timestamp now{1'700'000'000'250ms};

job_context dispatch(activity_action action, std::string payload = "{}",
                     std::string content_state = R"({"seq":7})") {
  job_context job;
  job.id = *uuid::parse("0192aaaa-bbbb-7ccc-8ddd-eeeeeeeeeeee");
  job.payload = std::move(payload);
  job.created_at = now;
  job.activity = activity_event{.action = action,
                                .activity = "order-1",
                                .type = "order",
                                .seq = 3,
                                .timestamp_s = 1'700'000'000,
                                .content_state = std::move(content_state),
                                .channel = {}};
  return job;
}

std::string body_of(const job_context& job, std::string_view marker = {}, timestamp at = now) {
  const auto body = render_fcm(job, marker, at);
  EXPECT_TRUE(body.ok()) << body.message;
  return body.value.before_token + "T" + body.value.after_token;
}

/// The data of a message about the activity.
std::string data_of(const std::string& action, const std::string& payload,
                    const std::string& more) {
  return R"("data":{"type":"live_activity","action":")" + action +
         R"(","activity_id":"order-1","activity_type":"order","timestamp":"1700000000",)"
         R"("payload":")" +
         payload + "\"" + more + "}";
}

TEST(fcm_activity_message, an_update) {
  EXPECT_EQ(body_of(dispatch(activity_action::update)),
            R"({"message":{"token":"T",)" + data_of("update", R"({\"seq\":7})", R"(,"seq":"7")") +
              R"(,"android":{"collapse_key":"order-1","priority":"high","ttl":"3600s"}}})");
}

TEST(fcm_activity_message, a_start_does_not_collapse) {
  EXPECT_EQ(body_of(dispatch(activity_action::start, R"({"alert":"A","attributes":{"a":1}})")),
            R"({"message":{"token":"T",)" + data_of("start", R"({\"seq\":7})", R"(,"seq":"7")") +
              R"(,"android":{"priority":"high","ttl":"3600s"}}})");
}

TEST(fcm_activity_message, an_end_without_content_state) {
  EXPECT_EQ(
    body_of(dispatch(activity_action::end, R"({"priority":"normal","collapse_id":"c"})", "")),
    R"({"message":{"token":"T",)" + data_of("end", "{}", "") +
      R"(,"android":{"collapse_key":"c","priority":"normal","ttl":"3600s"}}})");
}

TEST(fcm_activity_message, members_of_the_content_state_are_flattened_to_texts) {
  const auto body = body_of(dispatch(
    activity_action::update, "{}",
    R"({"s":"t","i":-3,"d":1.0,"b":true,"n":null,"o":{"a":[1,"x"]},"l":[],"u":"\u00fc"})"));
  EXPECT_NE(body.find(R"(,"s":"t","i":"-3","d":"1.0","b":"true","o":"{\"a\":[1,\"x\"]}",)"
                      R"("l":"[]","u":"\u00fc"},"android")"),
            std::string::npos)
    << body;
}

TEST(fcm_activity_message, what_is_reserved_is_not_overridden_by_the_content_state) {
  EXPECT_EQ(body_of(dispatch(activity_action::update, "{}",
                             R"({"type":"x","action":"x","activity_id":"x","activity_type":"x",)"
                             R"("timestamp":1,"payload":"x","from":"x","message_type":"x",)"
                             R"("google.c":"x","gcm":"x","ok":1})")),
            R"({"message":{"token":"T",)" +
              data_of("update",
                      R"({\"type\":\"x\",\"action\":\"x\",\"activity_id\":\"x\",)"
                      R"(\"activity_type\":\"x\",\"timestamp\":1,\"payload\":\"x\",)"
                      R"(\"from\":\"x\",\"message_type\":\"x\",\"google.c\":\"x\",)"
                      R"(\"gcm\":\"x\",\"ok\":1})",
                      R"(,"ok":"1")") +
              R"(,"android":{"collapse_key":"order-1","priority":"high","ttl":"3600s"}}})");
}

TEST(fcm_activity_message, the_fcm_object_is_merged_over_all_but_what_the_node_says) {
  EXPECT_EQ(body_of(dispatch(activity_action::update,
                             R"({"fcm":{"data":{"type":"x","seq":null,"more":"m"},"topic":"x",
                                        "android":{"ttl":"60s"}}})")),
            R"({"message":{"token":"T",)" + data_of("update", R"({\"seq\":7})", R"(,"more":"m")") +
              R"(,"android":{"collapse_key":"order-1","priority":"high","ttl":"60s"}}})");
  EXPECT_NE(body_of(dispatch(activity_action::update, R"({"fcm":{"data":null}})"))
              .find(data_of("update", R"({\"seq\":7})", "")),
            std::string::npos);
}

TEST(fcm_activity_message, the_job_marker_stands_beside_the_data) {
  const auto body = body_of(dispatch(activity_action::update, "{}", R"({"job":1})"), "job");
  EXPECT_NE(body.find(R"(,"job":"0192aaaa-bbbb-7ccc-8ddd-eeeeeeeeeeee"})"), std::string::npos)
    << body;
}

TEST(fcm_activity_message, ttl_is_an_hour_unless_the_job_has_a_deadline) {
  auto job = dispatch(activity_action::update);
  EXPECT_EQ(remaining_fcm_ttl(job, now + 2h), 3600s);
  job.options.ttl = 60s;
  EXPECT_EQ(remaining_fcm_ttl(job, now + 20s), 40s);
  job.options.ttl = 0s;
  EXPECT_EQ(remaining_fcm_ttl(job, now), 0s);
}

TEST(fcm_activity_message, a_broken_content_state_is_an_error_and_not_a_crash) {
  const auto body = render_fcm(dispatch(activity_action::update, "{}", "[]"), {}, now);
  EXPECT_EQ(body.code, errc::invalid);
  EXPECT_TRUE(body.message.starts_with("content-state: ")) << body.message;
}

TEST(fcm_activity_message, size_counts_the_payload_and_its_members) {
  activity_request request{.action = activity_action::update,
                           .activity = "order-1",
                           .type = "order",
                           .content_state = R"({"s":""})",
                           .expires_at = {},
                           .channel = {}};
  const auto around =
    data_of("update", R"({\"s\":\"\"})", R"(,"s":"")").size() - std::string{R"("data":)"}.size();
  const auto room = (fcm_payload_limit_bytes - around) / 2;
  request.content_state = R"({"s":")" + std::string(room, 'x') + R"("})";
  EXPECT_EQ(check_fcm_activity("{}", request, {}), std::nullopt);
  EXPECT_TRUE(check_fcm_activity("{}", request, "job"));
  request.content_state = R"({"s":")" + std::string(room + 1, 'x') + R"("})";
  const auto refusal = check_fcm_activity("{}", request, {});
  ASSERT_TRUE(refusal);
  EXPECT_TRUE(refusal->detail.starts_with("notification and data of the FCM message are "))
    << refusal->detail;
}

TEST(fcm_activity_message, size_leaves_room_for_what_the_request_does_not_say) {
  activity_request request;
  request.action = activity_action::update;
  const auto at_most = [&](std::size_t bytes) {
    request.content_state = R"({"s":")" + std::string(bytes, 'x') + R"("})";
    return !check_fcm_activity("{}", request, {});
  };
  std::size_t fits = 0;
  while (at_most(fits + 1))
    ++fits;
  request.activity = std::string(64, 'i');
  request.type = std::string(64, 't');
  EXPECT_TRUE(at_most(fits));
  EXPECT_FALSE(at_most(fits + 1));
}

TEST(fcm_activity_message, what_fcm_would_refuse_is_said_before) {
  activity_request request;
  const auto pointer = [&](std::string_view payload) {
    const auto refusal = check_fcm_activity(payload, request, {});
    return refusal ? refusal->pointer : "none";
  };
  EXPECT_EQ(pointer(R"({"fcm":{"data":{"from":"x"}}})"), "/fcm/data/from");
  EXPECT_EQ(pointer(R"({"fcm":{"token":"x"}})"), "/fcm/token");
}

} // namespace
