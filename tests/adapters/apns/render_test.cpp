#include "adapters/apns/render.hpp"

#include <gtest/gtest.h>

#include <string>

using namespace signalbox;
using namespace std::chrono_literals;

namespace {

job_context job_with(std::string payload) {
  job_context job;
  job.id = *uuid::parse("0192aaaa-bbbb-7ccc-8ddd-eeeeeeeeeeee");
  job.payload = std::move(payload);
  job.created_at = timestamp{1'700'000'000'250ms};
  return job;
}

apns_request rendered(const job_context& job) {
  auto request = render_apns(job, "com.example.app");
  EXPECT_TRUE(request.ok()) << request.message;
  return request.value;
}

std::string body_of(std::string payload) {
  return rendered(job_with(std::move(payload))).body;
}

TEST(apns_render, an_alert) {
  const auto request = rendered(job_with(R"({"title":"Hi","body":"There"})"));
  EXPECT_EQ(request.body, R"({"aps":{"alert":{"title":"Hi","body":"There"}}})");
  EXPECT_EQ(request.topic, "com.example.app");
  EXPECT_EQ(request.push_type, "alert");
  EXPECT_EQ(request.priority, "10");
  EXPECT_EQ(request.expiration, "");
  EXPECT_EQ(request.collapse_id, "0192aaaa-bbbb-7ccc-8ddd-eeeeeeeeeeee");
}

TEST(apns_render, everything_an_alert_can_carry) {
  EXPECT_EQ(body_of(R"({"title":"T","body":"B","image_url":"https://example.com/a.png",
                       "sound":"ping.aiff","badge":3,"data":{"order":"42"},
                       "thread_id":"chat","category":"MESSAGE"})"),
            R"({"aps":{"alert":{"title":"T","body":"B"},"sound":"ping.aiff","badge":3,)"
            R"("thread-id":"chat","category":"MESSAGE","mutable-content":1},)"
            R"("image_url":"https://example.com/a.png","order":"42"})");
}

TEST(apns_render, a_silent_push_has_no_alert_sound_or_badge) {
  const auto request = rendered(job_with(R"({"silent":true,"title":"T","sound":"s","badge":1,
                                             "priority":"high","data":{"sync":"1"}})"));
  EXPECT_EQ(request.body, R"({"aps":{"content-available":1},"sync":"1"})");
  EXPECT_EQ(request.push_type, "background");
  EXPECT_EQ(request.priority, "5");
  EXPECT_EQ(request.collapse_id, "");
}

TEST(apns_render, badge_null_leaves_and_zero_clears) {
  EXPECT_EQ(body_of(R"({"body":"B","badge":null})"), R"({"aps":{"alert":{"body":"B"}}})");
  EXPECT_EQ(body_of(R"({"body":"B","badge":0})"), R"({"aps":{"alert":{"body":"B"},"badge":0}})");
}

TEST(apns_render, data_overwrites_neither_aps_nor_the_image) {
  EXPECT_EQ(body_of(R"({"body":"B","image_url":"https://a","data":{"aps":"x","image_url":"y"}})"),
            R"({"aps":{"alert":{"body":"B"},"mutable-content":1},"image_url":"https://a"})");
}

TEST(apns_render, the_apns_object_is_merged_over_what_is_generated) {
  EXPECT_EQ(body_of(R"({"title":"T","body":"B","sound":"s","data":{"k":"v"},
                       "apns":{"aps":{"interruption-level":"time-sensitive","sound":null,
                                      "alert":{"subtitle":"S"}},"k":{"deep":1}}})"),
            R"({"aps":{"alert":{"title":"T","body":"B","subtitle":"S"},)"
            R"("interruption-level":"time-sensitive"},"k":{"deep":1}})");
}

TEST(apns_render, text_stays_utf8) {
  EXPECT_EQ(body_of("{\"body\":\"\\u00fc \xf0\x9f\x9a\x80 \\\"q\\\"\"}"),
            "{\"aps\":{\"alert\":{\"body\":\"\xc3\xbc \xf0\x9f\x9a\x80 \\\"q\\\"\"}}}");
}

TEST(apns_render, priorities) {
  EXPECT_EQ(rendered(job_with(R"({"body":"B","priority":"high"})")).priority, "10");
  EXPECT_EQ(rendered(job_with(R"({"body":"B","priority":"normal"})")).priority, "5");
  EXPECT_EQ(rendered(job_with(R"({"body":"B","priority":"low"})")).priority, "1");
}

TEST(apns_render, a_given_collapse_id_is_kept_also_for_silent_pushes) {
  EXPECT_EQ(rendered(job_with(R"({"body":"B","collapse_id":"c"})")).collapse_id, "c");
  EXPECT_EQ(rendered(job_with(R"({"silent":true,"collapse_id":"c"})")).collapse_id, "c");
}

TEST(apns_render, expiration_is_the_earlier_of_ttl_and_expires_at) {
  auto job = job_with(R"({"body":"B"})");
  job.options.ttl = 60s;
  EXPECT_EQ(rendered(job).expiration, "1700000060");
  job.options.expires_at = timestamp{1'700'000'030'999ms};
  EXPECT_EQ(rendered(job).expiration, "1700000030");
  job.options.ttl.reset();
  EXPECT_EQ(rendered(job).expiration, "1700000030");
}

TEST(apns_render, ttl_counts_from_the_scheduled_time) {
  auto job = job_with(R"({"body":"B"})");
  job.not_before = timestamp{1'700'003'600'000ms};
  job.options.ttl = 60s;
  EXPECT_EQ(rendered(job).expiration, "1700003660");
}

TEST(apns_render, a_ttl_of_zero_is_really_sent_as_zero) {
  auto job = job_with(R"({"body":"B"})");
  job.options.ttl = 0s;
  job.options.expires_at = timestamp{1'700'000'030'000ms};
  EXPECT_EQ(rendered(job).expiration, "0");
}

TEST(apns_render, a_broken_payload_is_an_error_and_not_a_crash) {
  EXPECT_EQ(render_apns(job_with("{"), "b").code, errc::invalid);
  EXPECT_EQ(render_apns(job_with("[]"), "b").code, errc::invalid);
}

TEST(apns_render, size_is_checked_as_it_is_sent) {
  const auto frame = std::string{R"({"aps":{"alert":{"body":""}}})"}.size();
  const std::string fits(apns_payload_limit_bytes - frame, 'x');
  EXPECT_EQ(check_apns_size(R"({"body":")" + fits + R"("})"), std::nullopt);
  const auto refusal = check_apns_size(R"({"body":")" + fits + R"(x"})");
  ASSERT_TRUE(refusal);
  EXPECT_EQ(*refusal, "the APNs payload is 4097 bytes, and the limit is 4096");
}

TEST(apns_render, the_size_counts_bytes_and_not_the_json_escapes_of_the_request) {
  std::string body;
  for (int i = 0; i < 600; ++i)
    body += "\\u00fc";
  EXPECT_EQ(check_apns_size(R"({"body":")" + body + R"("})"), std::nullopt);
}

} // namespace
