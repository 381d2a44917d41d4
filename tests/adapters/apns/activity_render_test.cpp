#include "adapters/apns/activity_render.hpp"

#include <gtest/gtest.h>

#include <string>

using namespace signalbox;
using namespace std::chrono_literals;

namespace {

constexpr auto bundle = "com.example.app";

job_context dispatch(activity_action action, std::string payload = "{}",
                     std::string content_state = R"({"seq":7})") {
  job_context job;
  job.id = *uuid::parse("0192aaaa-bbbb-7ccc-8ddd-eeeeeeeeeeee");
  job.payload = std::move(payload);
  job.created_at = timestamp{1'700'000'000'250ms};
  job.activity = activity_event{.action = action,
                                .activity = "order-1",
                                .type = "order",
                                .seq = 3,
                                .timestamp_s = 1'700'000'000,
                                .content_state = std::move(content_state),
                                .channel = {}};
  return job;
}

apns_request rendered(const job_context& job) {
  auto request = render_apns(job, bundle);
  EXPECT_TRUE(request.ok()) << request.message;
  return request.value;
}

TEST(apns_activity_render, an_update) {
  const auto request = rendered(dispatch(activity_action::update));
  EXPECT_EQ(request.body,
            R"({"aps":{"timestamp":1700000000,"event":"update","content-state":{"seq":7}}})");
  EXPECT_EQ(request.topic, "com.example.app.push-type.liveactivity");
  EXPECT_EQ(request.push_type, "liveactivity");
  EXPECT_EQ(request.priority, "10");
  EXPECT_EQ(request.expiration, "");
  EXPECT_EQ(request.collapse_id, "order-1");
  EXPECT_EQ(request.broadcast_path, "");
}

TEST(apns_activity_render, a_start) {
  const auto request =
    rendered(dispatch(activity_action::start, R"({"attributes_type":"Order","attributes":{"no":12},
                                                  "alert":{"title":"T","body":"B"}})"));
  EXPECT_EQ(request.body, R"({"aps":{"timestamp":1700000000,"event":"start","content-state":)"
                          R"({"seq":7},"alert":{"title":"T","body":"B"},"attributes-type":"Order",)"
                          R"("attributes":{"no":12}}})");
  EXPECT_EQ(request.collapse_id, "");
}

TEST(apns_activity_render, everything_an_end_can_carry) {
  const auto request =
    rendered(dispatch(activity_action::end, R"({"stale_date":1700000100,"dismissal_date":1700000200,
                              "relevance_score":75.5,"alert":"Done","priority":"normal",
                              "collapse_id":"c","attributes":{"of":"a start"}})"));
  EXPECT_EQ(request.body,
            R"({"aps":{"timestamp":1700000000,"event":"end","content-state":{"seq":7},)"
            R"("stale-date":1700000100,"dismissal-date":1700000200,"relevance-score":75.5,)"
            R"("alert":"Done"}})");
  EXPECT_EQ(request.priority, "5");
  EXPECT_EQ(request.collapse_id, "c");
}

TEST(apns_activity_render, an_end_without_content_state) {
  EXPECT_EQ(rendered(dispatch(activity_action::end, "{}", "")).body,
            R"({"aps":{"timestamp":1700000000,"event":"end"}})");
}

TEST(apns_activity_render, apple_knows_two_priorities_of_them) {
  const auto priority = [](const std::string& asked) {
    return rendered(dispatch(activity_action::update, R"({"priority":")" + asked + R"("})"))
      .priority;
  };
  EXPECT_EQ(priority("high"), "10");
  EXPECT_EQ(priority("normal"), "5");
  EXPECT_EQ(priority("low"), "5");
}

TEST(apns_activity_render, the_content_state_is_sent_byte_for_byte) {
  const std::string state = R"({"price": 1.50, "big":123456789012345678901234567890,"e":"\u00fc"})";
  const auto body = rendered(dispatch(activity_action::update, "{}", state)).body;
  EXPECT_NE(body.find(R"("content-state":)" + state), std::string::npos) << body;
}

TEST(apns_activity_render, input_pushes_are_asked_for_by_starts_only) {
  const auto asks = [](const job_context& job) {
    const auto body = rendered(job).body;
    const auto at = body.find(R"("input-push)");
    return at == std::string::npos ? "" : body.substr(at, body.find('}', at) - at);
  };
  const std::string payload = R"({"input_push_token":true})";
  EXPECT_EQ(asks(dispatch(activity_action::start, payload)), R"("input-push-token":1)");
  EXPECT_EQ(asks(dispatch(activity_action::start, R"({"input_push_token":false})")), "");
  EXPECT_EQ(asks(dispatch(activity_action::update, payload)), "");
  EXPECT_EQ(asks(dispatch(activity_action::start, R"({"input_push_channel":"Y2hhbm5lbA=="})")),
            R"("input-push-channel":"Y2hhbm5lbA==")");
}

TEST(apns_activity_render, the_apns_object_is_merged_over_all_but_timestamp_and_event) {
  const auto body_of = [](const std::string& over) {
    return rendered(dispatch(activity_action::update,
                             R"({"stale_date":5,"apns":{"payload":)" + over + "}}"))
      .body;
  };
  const std::string head = R"({"aps":{"timestamp":1700000000,"event":"update",)";
  EXPECT_EQ(body_of(R"({"aps":{"stale-date":null,"sound":"s","timestamp":1},"k":1})"),
            head + R"("content-state":{"seq":7},"sound":"s"},"k":1})");
  EXPECT_EQ(body_of(R"({"aps":{"content-state":{"more":true}}})"),
            head + R"("content-state":{"seq":7,"more":true},"stale-date":5}})");
}

TEST(apns_activity_render, what_a_request_sets_is_sent) {
  auto job = dispatch(activity_action::update,
                      R"({"priority":"high","expiration":1800000000,"apns":{"headers":{
                          "apns-priority":"5","apns-collapse-id":"d"}}})");
  job.options.ttl = 60s;
  const auto request = rendered(job);
  EXPECT_EQ(request.priority, "5");
  EXPECT_EQ(request.collapse_id, "d");
  EXPECT_EQ(request.expiration, "1800000000");
  job.activity->channel = "Y2hhbm5lbA==";
  EXPECT_EQ(rendered(job).expiration, "1800000000");
}

TEST(apns_activity_render, an_id_that_is_no_collapse_id_is_hashed) {
  const auto collapse_id = [](std::string id) {
    auto job = dispatch(activity_action::update);
    job.activity->activity = std::move(id);
    return rendered(job).collapse_id;
  };
  const std::string longest(64, 'a');
  EXPECT_EQ(collapse_id(longest), longest);
  // printf aaa...a | sha256sum, of 65 letters
  EXPECT_EQ(collapse_id(longest + "a"),
            "635361c48bb9eab14198e76ea8ab7f1a41685d6ad62aa9146d301d4f17eb0ae0");
  EXPECT_EQ(collapse_id("or\xc3\xa9").size(), 64u);
  EXPECT_EQ(collapse_id(" order").size(), 64u);
}

TEST(apns_activity_render, a_given_collapse_id_is_a_starts_too) {
  EXPECT_EQ(rendered(dispatch(activity_action::start, R"({"collapse_id":"c"})")).collapse_id, "c");
}

TEST(apns_activity_render, expiration_is_that_of_pushes) {
  auto job = dispatch(activity_action::update);
  job.options.ttl = 60s;
  EXPECT_EQ(rendered(job).expiration, "1700000060");
  job.options.ttl = 0s;
  EXPECT_EQ(rendered(job).expiration, "0");
}

TEST(apns_activity_render, updates_and_ends_with_a_channel_are_broadcasts) {
  for (const auto action : {activity_action::update, activity_action::end}) {
    auto job = dispatch(action, R"({"collapse_id":"c"})");
    job.activity->channel = "Y2hhbm5lbA==";
    const auto request = rendered(job);
    EXPECT_EQ(request.broadcast_path, "/4/broadcasts/apps/com.example.app");
    EXPECT_EQ(request.topic, "");
    EXPECT_EQ(request.collapse_id, "");
    EXPECT_EQ(request.push_type, "liveactivity");
    EXPECT_EQ(request.expiration, "0");
    EXPECT_EQ(request.body.find("channel"), std::string::npos);
    job.options.expires_at = job.created_at + 30min;
    EXPECT_EQ(rendered(job).expiration, "0");
    job.options.ttl = 60s;
    EXPECT_EQ(rendered(job).expiration, "1700000060");
  }
}

TEST(apns_activity_render, a_start_with_a_channel_goes_to_devices) {
  auto job = dispatch(activity_action::start);
  job.activity->channel = "Y2hhbm5lbA==";
  EXPECT_EQ(rendered(job).broadcast_path, "");
  EXPECT_EQ(rendered(job).topic, "com.example.app.push-type.liveactivity");
}

TEST(apns_activity_render, what_is_broken_is_an_error_and_not_a_crash) {
  EXPECT_EQ(render_apns(dispatch(activity_action::update, "{"), bundle).code, errc::invalid);
  const auto over = R"({"apns":{"payload":{"aps":{"content-state":{"a":1}}}}})";
  const auto broken = render_apns(dispatch(activity_action::update, over, "[]"), bundle);
  EXPECT_EQ(broken.code, errc::invalid);
  EXPECT_TRUE(broken.message.starts_with("content-state: ")) << broken.message;
}

std::string state_of(std::size_t bytes) {
  const auto frame = std::string{R"({"s":""})"}.size();
  return R"({"s":")" + std::string(bytes - frame, 'x') + R"("})";
}

std::string refusal_of(std::string_view payload, activity_request& request) {
  const auto refusal = check_apns_activity(payload, request, bundle);
  return refusal ? refusal->pointer + ": " + refusal->detail : "";
}

TEST(apns_activity_render, a_starts_size_is_checked_as_it_is_sent) {
  const auto around = rendered(dispatch(activity_action::start, "{}", "{}")).body.size() - 2;
  activity_request request;
  request.action = activity_action::start;
  request.content_state = state_of(apns_payload_limit_bytes - around);
  EXPECT_EQ(refusal_of("{}", request), "");
  EXPECT_EQ(refusal_of(R"({"priority":"normal"})", request), "");
  EXPECT_NE(refusal_of(R"({"alert":"A"})", request), "");
  request.content_state = state_of(apns_payload_limit_bytes - around + 1);
  EXPECT_EQ(refusal_of("{}", request),
            "/content_state: the APNs payload is 4097 bytes, and the limit is 4096");
}

TEST(apns_activity_render, what_may_be_a_broadcast_may_be_larger_and_says_how_large_it_is) {
  const auto around = rendered(dispatch(activity_action::update, "{}", "{}")).body.size() - 2;
  activity_request request;
  request.action = activity_action::update;
  request.content_state = state_of(apns_broadcast_limit_bytes - around);
  EXPECT_EQ(refusal_of("{}", request), "");
  EXPECT_EQ(request.apns_bytes, apns_broadcast_limit_bytes);
  request.content_state = state_of(apns_broadcast_limit_bytes - around + 1);
  EXPECT_EQ(refusal_of("{}", request),
            "/content_state: the APNs payload is 5121 bytes, and the limit is 5120");
}

} // namespace
