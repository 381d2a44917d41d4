#include "adapters/http/push_body.hpp"
#include "adapters/http/rfc3339.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <map>
#include <ostream>
#include <string>

namespace signalbox::http {

namespace {

const timestamp now = *parse_rfc3339("2026-01-31T12:00:00Z");

push_body read(std::string_view text, audience_source source = audience_source::path) {
  std::vector<field_error> errors;
  auto out = read_push_body(text, source, now, errors);
  for (const auto& error : errors)
    ADD_FAILURE() << error.pointer << ": " << error.detail;
  return out;
}

TEST(push_body_test, keeps_the_content_and_not_the_options) {
  auto push = read(R"({"title":"T \"q\" ü","body":"B","image_url":"https://a/b.png","sound":"ping",
    "badge":0,"data":{"k":"v","k2":""},"silent":false,"collapse_id":"c","priority":"low","ttl":60,
    "expires_at":"2026-02-01T00:00:00Z","thread_id":"t","category":"g","receipts":"all",
    "on_unknown":"give_up","lane":"bulk","apns":{"payload":{"aps":{"sound":{"critical":1.0}}}},"fcm":{}})");
  EXPECT_EQ(
    push.payload,
    R"({"title":"T \"q\" ü","body":"B","image_url":"https://a/b.png","sound":"ping","badge":0,)"
    R"("data":{"k":"v","k2":""},"silent":false,"collapse_id":"c","priority":"low",)"
    R"("thread_id":"t","category":"g",)"
    R"("apns":{"headers":{},"payload":{"aps":{"sound":{"critical":1.0}}}},"fcm":{}})");
  EXPECT_EQ(push.options.ttl, std::chrono::seconds{60});
  EXPECT_EQ(push.options.expires_at, parse_rfc3339("2026-02-01T00:00:00Z"));
  EXPECT_EQ(push.options.receipts, receipts_policy::all);
  EXPECT_EQ(push.options.on_unknown, unknown_policy::give_up);
  EXPECT_EQ(push.lane, "bulk");
  EXPECT_FALSE(push.dry_run);
}

TEST(push_body_test, has_defaults) {
  auto push = read(R"({"silent":true})");
  EXPECT_EQ(push.payload, R"({"silent":true})");
  EXPECT_EQ(push.lane, "push");
  EXPECT_FALSE(push.options.ttl);
  EXPECT_FALSE(push.options.expires_at);
  EXPECT_FALSE(push.scheduled_at);
  EXPECT_EQ(push.options.receipts, receipts_policy::failures);
}

TEST(push_body_test, null_in_apns_is_not_given) {
  for (auto apns : {R"({"headers":null})", R"({"payload":null})",
                    R"({"headers":{"apns-topic":null},"payload":null})"})
    EXPECT_EQ(read(std::string{R"({"body":"b","apns":)"} + apns + '}').payload,
              R"({"body":"b","apns":{"headers":{},"payload":{}}})");
}

TEST(push_body_test, a_byte_order_mark_moves_no_text) {
  EXPECT_EQ(read("\xEF\xBB\xBF"
                 R"({"body":"b","apns":{"payload":{"aps":{"n":1e2}}}})")
              .payload,
            R"({"body":"b","apns":{"headers":{},"payload":{"aps":{"n":1e2}}}})");
}

TEST(push_body_test, an_integer_may_be_written_with_a_point_or_an_exponent) {
  auto push = read(R"({"badge":251.0,"ttl":6e1})");
  EXPECT_EQ(push.payload, R"({"badge":251})");
  EXPECT_EQ(push.options.ttl, std::chrono::seconds{60});
}

TEST(push_body_test, a_null_badge_is_no_badge) {
  EXPECT_EQ(read(R"({"body":"b","badge":null})").payload, R"({"body":"b"})");
}

TEST(push_body_test, a_ttl_of_zero_is_kept) {
  EXPECT_EQ(read(R"({"body":"b","ttl":0})").options.ttl, std::chrono::seconds{0});
}

TEST(push_body_test, a_time_that_has_come_schedules_nothing) {
  EXPECT_FALSE(read(R"({"body":"b","scheduled_at":"2026-01-31T12:00:00Z"})").scheduled_at);
  EXPECT_EQ(read(R"({"body":"b","scheduled_at":"2026-01-31T14:00:00.001+02:00"})").scheduled_at,
            now + std::chrono::milliseconds{1});
}

TEST(push_body_test, names_each_target_once) {
  auto push = read(R"({"body":"b","tokens":[{"platform":"apns","token":"AB"},
    {"platform":"apns","token":"ab","environment":"sandbox"},{"platform":"fcm","token":"ab"},
    {"platform":"apns","token":"cd","environment":"sandbox"}]})",
                   audience_source::body);
  ASSERT_EQ(push.tokens.size(), 3u);
  EXPECT_EQ(push.tokens[0].token, "ab");
  EXPECT_EQ(push.tokens[0].env, environment::production);
  EXPECT_EQ(push.tokens[1].provider, platform::fcm);
  EXPECT_EQ(push.tokens[2].env, environment::sandbox);
  EXPECT_EQ(read(R"({"body":"b","users":["u","v","u"]})", audience_source::body).users,
            (std::vector<std::string>{"u", "v"}));
}

/// A body, and the pointers of its errors in order, joined by spaces.
struct bad_push {
  const char* what;
  std::string text;
  std::string pointers;
  audience_source source = audience_source::path;

  friend std::ostream& operator<<(std::ostream& out, const bad_push& one) {
    return out << one.what;
  }
};

class bad_push_test : public ::testing::TestWithParam<bad_push> {};

TEST_P(bad_push_test, is_refused_with_pointers) {
  std::vector<field_error> errors;
  read_push_body(GetParam().text, GetParam().source, now, errors);
  std::string pointers;
  for (const auto& error : errors) {
    pointers += (pointers.empty() ? "" : " ") + ('"' + error.pointer + '"');
    EXPECT_FALSE(error.detail.empty());
  }
  EXPECT_EQ(pointers, GetParam().pointers);
}

TEST(push_body_test, a_number_that_is_too_large_is_refused_where_it_stands) {
  std::vector<field_error> errors;
  read_push_body(R"({"body":"b","ttl":100000000000000000000,"n":1})", audience_source::path, now,
                 errors);
  ASSERT_EQ(errors.size(), 2u);
  EXPECT_EQ(errors[0].pointer, "/ttl");
  EXPECT_EQ(errors[0].detail, "must be an integer from 0 to 2419200");
}

TEST(push_body_test, a_badge_alone_is_a_push) {
  EXPECT_EQ(read(R"({"badge":0})").payload, R"({"badge":0})");
}

TEST(push_body_test, a_push_type_that_shows_nothing_by_itself_needs_no_text) {
  EXPECT_EQ(read(R"({"data":{"call":"7"},"apns":{"headers":{"apns-push-type":"voip"}}})").payload,
            R"({"data":{"call":"7"},"apns":{"headers":{"apns-push-type":"voip"},"payload":{}}})");
}

TEST(push_body_test, all_headers_that_a_request_can_set) {
  const auto push = read(R"({"body":"b","apns":{"headers":{"apns-push-type":"alert",
    "apns-topic":"com.example.app","apns-priority":"5","apns-expiration":"1769868000",
    "apns-collapse-id":"c"}}})");
  EXPECT_EQ(push.payload,
            R"({"body":"b","apns":{"headers":{"apns-push-type":"alert",)"
            R"("apns-topic":"com.example.app","apns-priority":"5","apns-expiration":"1769868000",)"
            R"("apns-collapse-id":"c"},"payload":{}}})");
}

std::string nested(int depth) {
  return R"({"body":"b","fcm":)" + [&] {
    std::string text;
    for (int i = 0; i < depth; ++i)
      text += R"({"a":)";
    return text + "1" + std::string(static_cast<std::size_t>(depth), '}');
  }() + '}';
}

constexpr auto from_body = audience_source::body;

INSTANTIATE_TEST_SUITE_P(
  all, bad_push_test,
  ::testing::Values(
    bad_push{"empty", "", "\"\""}, bad_push{"not_json", "{\"body\":", "\"\""},
    bad_push{"not_an_object", "[]", "\"\""}, bad_push{"trailing_text", "{\"body\":\"b\"}x", "\"\""},
    bad_push{"bad_utf8", "{\"body\":\"\xC3\x28\"}", "\"\""},
    bad_push{"overlong_utf8", "{\"body\":\"\xC0\xAF\"}", "\"\""},
    bad_push{"lone_surrogate", R"({"body":"\ud800"})", "\"\""},
    bad_push{"control_character", "{\"body\":\"a\x01\"}", "\"\""},
    bad_push{"deep", nested(40), "\"\""}, bad_push{"very_deep", nested(100'000), "\"\""},
    bad_push{"nothing_to_show", "{}", "\"\""},
    bad_push{"not_really_silent", R"({"silent":false})", "\"\""},
    bad_push{"unknown_field", R"({"body":"b","colour":1})", "\"/colour\""},
    bad_push{"escaped_pointer", R"({"body":"b","a/b~c":1})", "\"/a~1b~0c\""},
    bad_push{"repeated_field", R"({"body":"b","body":"c"})", "\"/body\""},
    bad_push{"wrong_types",
             R"({"title":1,"body":"b","sound":{},"badge":"1","data":[],"silent":1,"ttl":1.5})",
             "\"/title\" \"/sound\" \"/badge\" \"/data\" \"/silent\" \"/ttl\""},
    bad_push{"null_alone", R"({"title":null,"body":null})", "\"\""},
    bad_push{"null_of_an_unknown_field", R"({"body":"b","colour":null})", "\"/colour\""},
    bad_push{"null_and_a_value", R"({"body":"b","title":null,"title":"t"})", "\"/title\""},
    bad_push{"no_url", R"({"body":"b","image_url":"javascript:1"})", "\"/image_url\""},
    bad_push{"negative_badge", R"({"body":"b","badge":-1})", "\"/badge\""},
    bad_push{"huge_badge", R"({"body":"b","badge":4294967296})", "\"/badge\""},
    bad_push{"number_beyond_64_bits", R"({"body":"b","badge":18446744073709551616})", "\"/badge\""},
    bad_push{"number_that_is_none", R"({"body":"b","fcm":{"n":01}})", "\"\""},
    bad_push{"badge_null_alone", R"({"badge":null})", "\"\""},
    bad_push{"silent_with_what_it_cannot_show",
             R"({"silent":true,"title":"t","body":"b","image_url":"https://a","sound":"s",
                 "badge":3,"thread_id":"t","category":"c"})",
             "\"/title\" \"/body\" \"/image_url\" \"/sound\" \"/badge\" \"/thread_id\" "
             "\"/category\""},
    bad_push{"image_of_no_alert", R"({"badge":1,"image_url":"https://a"})", "\"/image_url\""},
    bad_push{"flat_overlay", R"({"body":"b","apns":{"aps":{"sound":"s"},"k":1}})",
             "\"/apns/aps\" \"/apns/k\""},
    bad_push{"other_headers",
             R"({"body":"b","apns":{"headers":{"apns-id":"x","authorization":"x","X":1}}})",
             "\"/apns/headers/apns-id\" \"/apns/headers/authorization\" \"/apns/headers/X\""},
    bad_push{"header_values",
             R"({"body":"b","apns":{"headers":{"apns-push-type":"loud","apns-topic":"",
                 "apns-priority":"7","apns-expiration":"soon","apns-collapse-id":""}}})",
             "\"/apns/headers/apns-push-type\" \"/apns/headers/apns-topic\" "
             "\"/apns/headers/apns-priority\" \"/apns/headers/apns-expiration\" "
             "\"/apns/headers/apns-collapse-id\""},
    bad_push{"header_that_is_no_text", R"({"body":"b","apns":{"headers":{"apns-priority":5}}})",
             "\"/apns/headers/apns-priority\""},
    bad_push{"expiration_in_milliseconds",
             R"({"body":"b","apns":{"headers":{"apns-expiration":"1769868000000"}}})",
             "\"/apns/headers/apns-expiration\""},
    bad_push{"past_expiration", R"({"body":"b","apns":{"headers":{"apns-expiration":"1"}}})",
             "\"/apns/headers/apns-expiration\""},
    bad_push{"expiration_of_one_try",
             R"({"body":"b","ttl":0,"apns":{"headers":{"apns-expiration":"1769868000"}}})",
             "\"/apns/headers/apns-expiration\""},
    bad_push{"silent_voip", R"({"silent":true,"apns":{"headers":{"apns-push-type":"voip"}}})",
             "\"/apns/headers/apns-push-type\""},
    bad_push{"background_that_is_not_silent",
             R"({"body":"b","apns":{"headers":{"apns-push-type":"background"}}})",
             "\"/apns/headers/apns-push-type\""},
    bad_push{"loud_background",
             R"({"silent":true,"apns":{"headers":{"apns-push-type":"background",
                 "apns-priority":"10"}}})",
             "\"/apns/headers\""},
    bad_push{"silent_priority", R"({"silent":true,"apns":{"headers":{"apns-priority":"10"}}})",
             "\"/apns/headers/apns-priority\""},
    bad_push{"a_live_activity_as_a_push",
             R"({"body":"b","apns":{"headers":{"apns-push-type":"liveactivity"}}})",
             "\"/apns/headers/apns-push-type\""},
    bad_push{"mdm", R"({"body":"b","apns":{"headers":{"apns-push-type":"mdm"}}})",
             "\"/apns/headers/apns-push-type\""},
    bad_push{"data_value", R"({"body":"b","data":{"a":"x","b":2,"c":null}})",
             "\"/data/b\" \"/data/c\""},
    bad_push{"data_aps", R"({"body":"b","data":{"aps":"x"}})", "\"/data/aps\""},
    bad_push{"data_twice", R"({"body":"b","data":{"a":"x","a":"y"}})", "\"/data/a\""},
    bad_push{"apns_twice", R"({"body":"b","apns":{"payload":{"x":[{"a":1,"a":2}]}}})",
             "\"/apns/payload/x/0/a\""},
    bad_push{"apns_type", R"({"body":"b","apns":"x","fcm":[]})", "\"/apns\" \"/fcm\""},
    bad_push{"apns_without_aps", R"({"body":"b","apns":{"payload":{"aps":null}}})",
             "\"/apns/payload/aps\""},
    bad_push{"aps_is_a_number", R"({"body":"b","apns":{"payload":{"aps":5}}})",
             "\"/apns/payload/aps\""},
    bad_push{"empty_collapse_id", R"({"body":"b","collapse_id":""})", "\"/collapse_id\""},
    bad_push{"long_collapse_id", R"({"body":"b","collapse_id":")" + std::string(65, 'x') + "\"}",
             "\"/collapse_id\""},
    bad_push{"collapse_id_of_two_lines", R"({"body":"b","collapse_id":"a\nb"})",
             "\"/collapse_id\""},
    bad_push{"collapse_id_with_nul", R"({"body":"b","collapse_id":"a\u0000"})", "\"/collapse_id\""},
    bad_push{"collapse_id_with_del", R"({"body":"b","collapse_id":"a\u007Fb"})",
             "\"/collapse_id\""},
    bad_push{"collapse_id_after_a_space", R"({"body":"b","collapse_id":" a"})", "\"/collapse_id\""},
    bad_push{"collapse_id_before_a_space", R"({"body":"b","collapse_id":"a "})",
             "\"/collapse_id\""},
    bad_push{"priority", R"({"body":"b","priority":"urgent"})", "\"/priority\""},
    bad_push{"negative_ttl", R"({"body":"b","ttl":-1})", "\"/ttl\""},
    bad_push{"long_ttl", R"({"body":"b","ttl":2419201})", "\"/ttl\""},
    bad_push{"past_expiry", R"({"body":"b","expires_at":"2026-01-31T12:00:00Z"})",
             "\"/expires_at\""},
    bad_push{
      "expiry_before_start",
      R"({"body":"b","expires_at":"2026-02-01T00:00:00Z","scheduled_at":"2026-02-02T00:00:00Z"})",
      "\"/expires_at\""},
    bad_push{"not_a_time", R"({"body":"b","scheduled_at":"tomorrow","expires_at":1})",
             "\"/scheduled_at\" \"/expires_at\""},
    bad_push{"receipts", R"({"body":"b","receipts":"some"})", "\"/receipts\""},
    bad_push{"on_unknown", R"({"body":"b","on_unknown":"drop"})", "\"/on_unknown\""},
    bad_push{"targets_beside_the_path", R"({"body":"b","users":["u"]})", "\"/users\""},
    bad_push{"no_targets", R"({"body":"b"})", "\"\"", from_body},
    bad_push{"both_targets",
             R"({"body":"b","users":["u"],"tokens":[{"platform":"fcm","token":"t"}]})", "\"\"",
             from_body},
    bad_push{"empty_targets", R"({"body":"b","users":[]})", "\"/users\"", from_body},
    bad_push{
      "bad_targets",
      R"({"body":"b","tokens":[{"platform":"apns","token":"ab"},{"platform":"apns","token":"abc"},
               {"platform":"x","token":"t"},{"token":"t"},{"platform":"fcm"},
               {"platform":"fcm","token":"t","environment":"sandbox"},
               {"platform":"fcm","token":"t","id":"u"}]})",
      "\"/tokens/1/token\" \"/tokens/2/platform\" \"/tokens/3/platform\" \"/tokens/4/token\" "
      "\"/tokens/5/environment\" \"/tokens/6/id\"",
      from_body},
    bad_push{"bad_users", R"({"body":"b","users":["u","",1,"a\u0007"]})",
             "\"/users/1\" \"/users/2\" \"/users/3\"", from_body}),
  [](const auto& info) { return std::string{info.param.what}; });

TEST(push_body_test, nesting_up_to_the_limit_is_taken) {
  EXPECT_FALSE(read(nested(30)).payload.empty());
}

TEST(push_body_test, lists_at_most_a_hundred_errors) {
  std::string text = R"({"body":"b","users":[)";
  for (int i = 0; i < 5'000; ++i)
    text += "1,";
  std::vector<field_error> errors;
  read_push_body(text + "1]}", audience_source::body, now, errors);
  EXPECT_EQ(errors.size(), 100u);
}

} // namespace

} // namespace signalbox::http
