#include "adapters/fcm/render.hpp"

#include <gtest/gtest.h>

#include <string>

using namespace signalbox;
using namespace std::chrono_literals;

namespace {

const timestamp now{1'700'000'000'250ms};
constexpr auto job_text = "0192aaaa-bbbb-7ccc-8ddd-eeeeeeeeeeee";

job_context job_with(std::string payload) {
  job_context job;
  job.id = *uuid::parse(job_text);
  job.payload = std::move(payload);
  job.created_at = now;
  return job;
}

/// The whole body for the token "T".
std::string body_of(const job_context& job, std::string_view marker = {}, timestamp at = now) {
  const auto body = render_fcm(job, marker, at);
  EXPECT_TRUE(body.ok()) << body.message;
  return body.value.before_token + "T" + body.value.after_token;
}

std::string body_of(std::string payload) {
  return body_of(job_with(std::move(payload)));
}

std::string android_of(const std::string& members) {
  return R"("android":{)" + members + R"("notification":{"tag":")" + job_text + "\"}}}}";
}

TEST(fcm_render, an_alert) {
  EXPECT_EQ(body_of(R"({"title":"Hi","body":"There"})"),
            R"({"message":{"token":"T","notification":{"title":"Hi","body":"There"},)" +
              android_of(R"("priority":"high",)"));
}

TEST(fcm_render, everything_an_alert_can_carry) {
  EXPECT_EQ(body_of(R"({"title":"T","body":"B","image_url":"https://example.com/a.png",
                       "sound":"ping","badge":3,"data":{"order":"42"},"collapse_id":"c",
                       "thread_id":"chat","category":"MESSAGE","priority":"normal"})"),
            R"({"message":{"token":"T","notification":{"title":"T","body":"B",)"
            R"("image":"https://example.com/a.png"},"data":{"order":"42"},)"
            R"("android":{"collapse_key":"c","priority":"normal","notification":{"sound":"ping",)"
            R"("click_action":"MESSAGE","tag":"c"}}}})");
}

TEST(fcm_render, a_silent_push_is_data_alone) {
  EXPECT_EQ(body_of(R"({"silent":true,"title":"T","sound":"s","data":{"sync":"1"}})"),
            R"({"message":{"token":"T","data":{"sync":"1"},"android":{"priority":"normal"}}})");
  EXPECT_EQ(body_of(R"({"silent":true,"priority":"high","collapse_id":"c"})"),
            R"({"message":{"token":"T","android":{"collapse_key":"c","priority":"high"}}})");
}

TEST(fcm_render, the_fcm_object_is_merged_over_what_is_generated) {
  EXPECT_EQ(body_of(R"({"title":"T","body":"B","sound":"s","data":{"k":"v"},"collapse_id":"c",
                       "fcm":{"android":{"notification":{"channel_id":"news","sound":null}},
                              "notification":{"body":"Other"},"data":{"more":"x"},
                              "fcm_options":{"analytics_label":"l"}}})"),
            R"({"message":{"token":"T","notification":{"title":"T","body":"Other"},)"
            R"("data":{"k":"v","more":"x"},"android":{"collapse_key":"c","priority":"high",)"
            R"("notification":{"tag":"c","channel_id":"news"}},)"
            R"("fcm_options":{"analytics_label":"l"}}})");
}

TEST(fcm_render, a_badge_alone_shows_nothing) {
  EXPECT_EQ(body_of(R"({"badge":0})"),
            R"({"message":{"token":"T","android":{"priority":"normal"}}})");
}

TEST(fcm_render, the_fcm_object_names_no_target) {
  EXPECT_EQ(body_of(R"({"body":"B","fcm":{"token":"x","topic":"x","condition":"x","name":"x"}})"),
            body_of(R"({"body":"B"})"));
}

TEST(fcm_render, text_stays_as_it_was_written) {
  const auto body = body_of("{\"body\":\"\xc3\xbc \xf0\x9f\x9a\x80 \\\"q\\\"\"}");
  EXPECT_NE(body.find("\xc3\xbc \xf0\x9f\x9a\x80 \\\"q\\\""), std::string::npos) << body;
}

TEST(fcm_render, the_job_marker_is_a_member_of_data) {
  EXPECT_EQ(body_of(job_with(R"({"silent":true,"data":{"a":"b"}})"), "job"),
            std::string{R"({"message":{"token":"T","data":{"a":"b","job":")"} + job_text +
              R"("},"android":{"priority":"normal"}}})");
  EXPECT_NE(body_of(job_with(R"({"body":"B"})"), "job").find(R"("data":{"job":")"),
            std::string::npos);
}

std::string ttl_of(const job_context& job, timestamp at = now) {
  const auto body = body_of(job, {}, at);
  const auto from = body.find(R"("ttl":")");
  return from == std::string::npos ? ""
                                   : body.substr(from + 7, body.find('"', from + 7) - from - 7);
}

TEST(fcm_render, ttl_is_what_is_left_of_it) {
  auto job = job_with(R"({"body":"B"})");
  EXPECT_EQ(ttl_of(job), "");
  job.options.ttl = 60s;
  EXPECT_EQ(ttl_of(job), "60s");
  EXPECT_EQ(ttl_of(job, now + 1ms), "59s");
  EXPECT_EQ(ttl_of(job, now + 20s), "40s");
  EXPECT_EQ(ttl_of(job, now + 70s), "0s");
  job.options.expires_at = now + 30s;
  EXPECT_EQ(ttl_of(job, now + 20s), "10s");
  job.options.expires_at = now + 24h * 365;
  job.options.ttl.reset();
  EXPECT_EQ(ttl_of(job), "2419200s");
}

TEST(fcm_render, ttl_counts_from_the_scheduled_time) {
  auto job = job_with(R"({"body":"B"})");
  job.not_before = now + 1h;
  job.options.ttl = 60s;
  EXPECT_EQ(ttl_of(job, now + 1h), "60s");
}

TEST(fcm_render, a_ttl_of_zero_is_really_sent_as_zero) {
  auto job = job_with(R"({"body":"B"})");
  job.options.ttl = 0s;
  EXPECT_EQ(ttl_of(job, now + 1h), "0s");
}

TEST(fcm_render, a_broken_payload_is_an_error_and_not_a_crash) {
  EXPECT_EQ(render_fcm(job_with("{"), {}, now).code, errc::invalid);
  EXPECT_EQ(render_fcm(job_with("[]"), {}, now).code, errc::invalid);
}

std::string refusal_of(std::string_view payload) {
  const auto refusal = check_fcm_payload(payload, {});
  return refusal ? refusal->pointer + ": " + refusal->detail : "";
}

TEST(fcm_render, size_is_checked_as_it_is_sent) {
  const auto frame = std::string{R"({"body":""}{"k":"v"})"}.size();
  const std::string fits(fcm_payload_limit_bytes - frame, 'x');
  const auto payload = [](const std::string& body) {
    return R"({"body":")" + body + R"(","data":{"k":"v"}})";
  };
  EXPECT_EQ(refusal_of(payload(fits)), "");
  EXPECT_EQ(
    refusal_of(payload(fits + "x")),
    "/body: notification and data of the FCM message are 4097 bytes, and the limit is 4096");
  EXPECT_TRUE(check_fcm_payload(payload(fits), "job"));
}

TEST(fcm_render, every_part_of_the_message_is_measured) {
  const std::string much(fcm_payload_limit_bytes, 'x');
  for (const std::string part : {"webpush", "apns", "android", "fcm_options"})
    EXPECT_TRUE(
      refusal_of(R"({"body":"B","fcm":{")" + part + R"(":{"data":{"k":")" + much + R"("}}}})")
        .starts_with("/fcm/" + part + ": " + part + " of the FCM message are "))
      << part;
  EXPECT_TRUE(refusal_of(R"({"body":"B","fcm":{"data":{"k":")" + much + R"("}}})")
                .starts_with("/fcm: notification and data"));
}

TEST(fcm_render, what_fcm_would_refuse_is_said_before) {
  EXPECT_EQ(refusal_of(R"({"body":"B","data":{"from":"x"}})"),
            "/data/from: is a name that FCM reserves");
  EXPECT_EQ(refusal_of(R"({"body":"B","data":{"google.c":"x"}})"),
            "/data/google.c: is a name that FCM reserves");
  EXPECT_EQ(refusal_of(R"({"body":"B","fcm":{"data":{"gcm":"x"}}})"),
            "/fcm/data/gcm: is a name that FCM reserves");
  EXPECT_EQ(refusal_of(R"({"body":"B","fcm":{"data":{"n":5}}})"),
            "/fcm/data/n: must be a string: FCM takes texts only");
  EXPECT_EQ(refusal_of(R"({"body":"B","fcm":{"topic":"x"}})"),
            "/fcm/topic: cannot be given: the targets are the job's");
  EXPECT_EQ(refusal_of(R"({"body":"B","fcm":{"androd":{}}})"),
            "/fcm/androd: is no member of an FCM message");
  EXPECT_EQ(refusal_of(R"({"body":"B","data":{"k":"v"},"fcm":{"android":{}}})"), "");
  EXPECT_EQ(refusal_of(R"({"body":"B","data":{"google/~":"x"}})"),
            "/data/google~1~0: is a name that FCM reserves");
}

} // namespace
