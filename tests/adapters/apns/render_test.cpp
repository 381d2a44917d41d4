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
                       "apns":{"payload":{"aps":{"interruption-level":"time-sensitive","sound":null,
                                      "alert":{"subtitle":"S"}},"k":{"deep":1}}}})"),
            R"({"aps":{"alert":{"title":"T","body":"B","subtitle":"S"},)"
            R"("interruption-level":"time-sensitive"},"k":{"deep":1}})");
}

TEST(apns_render, text_stays_as_it_was_written) {
  EXPECT_EQ(body_of("{\"body\":\" \xf0\x9f\x9a\x80 \\\"q\\\"\"}"),
            "{\"aps\":{\"alert\":{\"body\":\" \xf0\x9f\x9a\x80 \\\"q\\\"\"}}}");
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

TEST(apns_render, a_badge_alone_is_an_alert_without_one) {
  const auto request = rendered(job_with(R"({"badge":0})"));
  EXPECT_EQ(request.body, R"({"aps":{"badge":0}})");
  EXPECT_EQ(request.push_type, "alert");
  EXPECT_EQ(request.priority, "10");
}

TEST(apns_render, each_push_type_has_its_topic) {
  const auto topic_of = [](const std::string& type) {
    const auto request =
      rendered(job_with(R"({"apns":{"headers":{"apns-push-type":")" + type + "\"}}}"));
    EXPECT_EQ(request.push_type, type);
    EXPECT_EQ(request.collapse_id, type == "alert" ? "0192aaaa-bbbb-7ccc-8ddd-eeeeeeeeeeee" : "");
    return request.topic;
  };
  EXPECT_EQ(topic_of("alert"), "com.example.app");
  EXPECT_EQ(topic_of("voip"), "com.example.app.voip");
  EXPECT_EQ(topic_of("complication"), "com.example.app.complication");
  EXPECT_EQ(topic_of("location"), "com.example.app.location-query");
  EXPECT_EQ(topic_of("fileprovider"), "com.example.app.pushkit.fileprovider");
  EXPECT_EQ(topic_of("pushtotalk"), "com.example.app.voip-ptt");
  EXPECT_EQ(topic_of("widgets"), "com.example.app.push-type.widgets");
  EXPECT_EQ(topic_of("controls"), "com.example.app.push-type.controls");
}

TEST(apns_render, what_a_request_sets_is_sent_the_same_at_every_try) {
  auto job = job_with(R"({"body":"B","priority":"low","collapse_id":"c","apns":{"headers":{
    "apns-priority":"5","apns-expiration":"1800000000","apns-collapse-id":"d"}}})");
  job.options.ttl = 60s;
  const auto request = rendered(job);
  EXPECT_EQ(request.priority, "5");
  EXPECT_EQ(request.expiration, "1800000000");
  EXPECT_EQ(request.collapse_id, "d");
}

TEST(apns_render, an_overlay_of_before_headers_could_be_set_is_still_one) {
  EXPECT_EQ(body_of(R"({"body":"B","apns":{"aps":{"sound":"s"}}})"),
            R"({"aps":{"alert":{"body":"B"},"sound":"s"}})");
}

TEST(apns_render, a_collapse_id_that_cannot_stand_in_a_header_is_hashed) {
  const auto collapse_id = [](const std::string& id) {
    return rendered(job_with(R"({"body":"B","collapse_id":")" + id + "\"}")).collapse_id;
  };
  EXPECT_EQ(collapse_id("order-7"), "order-7");
  // printf '\303\274' | sha256sum
  EXPECT_EQ(collapse_id("\xc3\xbc"),
            "607474ca475a9724d7360aba71a56d5df77e61350e3f724cfa1f46e857e2d85f");
  EXPECT_EQ(collapse_id("a b").size(), 64u);
}

std::string refusal_of(std::string_view payload) {
  const auto refusal = check_apns_payload(payload, "com.example.app");
  return refusal ? refusal->pointer + ": " + refusal->detail : "";
}

TEST(apns_render, a_topic_must_be_that_of_the_push_type) {
  EXPECT_EQ(refusal_of(R"({"body":"B","apns":{"headers":{"apns-topic":"com.example.app"}}})"), "");
  EXPECT_EQ(refusal_of(R"({"body":"B","apns":{"headers":{"apns-topic":"com.example.other"}}})"),
            "/apns/headers/apns-topic: must be com.example.app, which is the topic of push type "
            "alert");
  EXPECT_EQ(refusal_of(R"({"apns":{"headers":{"apns-push-type":"voip",
                           "apns-topic":"com.example.app.voip"}}})"),
            "");
  EXPECT_TRUE(refusal_of(R"({"apns":{"headers":{"apns-push-type":"voip",
                             "apns-topic":"com.example.app"}}})")
                .starts_with("/apns/headers/apns-topic: must be com.example.app.voip"));
}

TEST(apns_render, size_is_checked_as_it_is_sent) {
  const auto frame = std::string{R"({"aps":{"alert":{"body":""}}})"}.size();
  const std::string fits(apns_payload_limit_bytes - frame, 'x');
  EXPECT_EQ(refusal_of(R"({"body":")" + fits + R"("})"), "");
  EXPECT_EQ(refusal_of(R"({"body":")" + fits + R"(x"})"),
            "/body: the APNs payload is 4097 bytes, and the limit is 4096");
  EXPECT_TRUE(refusal_of(R"({"body":"b","apns":{"payload":{"k":")" + fits + R"("}}})")
                .starts_with("/apns: the APNs payload is "));
}

TEST(apns_render, voip_may_be_larger) {
  const auto payload = [](std::size_t bytes) {
    const auto frame = std::string{R"({"aps":{},"k":""})"}.size();
    return R"({"data":{"k":")" + std::string(bytes - frame, 'x') +
           R"("},"apns":{"headers":{"apns-push-type":"voip"}}})";
  };
  EXPECT_EQ(refusal_of(payload(5120)), "");
  EXPECT_EQ(refusal_of(payload(5121)),
            "/data: the APNs payload is 5121 bytes, and the limit is 5120");
}

} // namespace
