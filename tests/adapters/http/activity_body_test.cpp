#include "adapters/http/activity_body.hpp"
#include "adapters/http/rfc3339.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <ostream>
#include <random>
#include <string>

namespace signalbox::http {

namespace {

const timestamp now = *parse_rfc3339("2026-01-31T12:00:00Z");

activity_body read(std::string_view text) {
  std::vector<field_error> errors;
  auto out = read_activity_body(text, now, errors);
  for (const auto& error : errors)
    ADD_FAILURE() << error.pointer << ": " << error.detail;
  return out;
}

constexpr std::string_view whole_start = R"({"action":"start","activityId":"match-7",
  "activityType":"match","topicId":"derby","payload":{ "home" : 1, "clock":[1, 2] },
  "expiresAt":"2026-01-31T14:00:00Z","lane":"matches","options":{
    "alert":{"title":"Kick \"off\"","body":"ü","sound":"whistle"},"attributesType":"Match",
    "attributes":{"home":"A"},"priority":"normal","staleDate":"2026-01-31T12:30:00.900Z",
    "dismissalDate":1769868000,"relevanceScore":0.5,"collapseId":"c","ttl":60,
    "inputPushToken":true,"receipts":"all","onUnknown":"resend","apns":{"payload":{"aps":{"x":1}}},
    "fcm":{"data":{}},"timestamp":1769860000,"expiration":"2026-01-31T14:00:00Z"}})";

TEST(activity_body_test, reads_a_start) {
  auto start = read(whole_start);
  EXPECT_EQ(start.request.action, activity_action::start);
  EXPECT_EQ(start.request.activity, "match-7");
  EXPECT_EQ(start.request.type, "match");
  EXPECT_EQ(start.request.content_state, R"({"home":1,"clock":[1,2]})");
  EXPECT_EQ(start.request.expires_at, parse_rfc3339("2026-01-31T14:00:00Z"));
  EXPECT_EQ(start.request.channel, "");
  EXPECT_EQ(start.scope.kind, scope_kind::topic);
  EXPECT_EQ(start.scope.name, "derby");
  EXPECT_EQ(start.lane, "matches");
  EXPECT_EQ(start.payload,
            R"({"alert":{"title":"Kick \"off\"","body":"ü","sound":"whistle"},)"
            R"("attributes_type":"Match","attributes":{"home":"A"},"priority":"normal",)"
            R"("stale_date":1769862600,"dismissal_date":1769868000,"relevance_score":0.5,)"
            R"("collapse_id":"c","input_push_token":true,)"
            R"("apns":{"headers":{},"payload":{"aps":{"x":1}}},"fcm":{"data":{}},)"
            R"("expiration":1769868000})");
  EXPECT_EQ(start.request.timestamp_s, 1769860000);
  EXPECT_EQ(start.options.ttl, std::chrono::seconds{60});
  EXPECT_EQ(start.options.receipts, receipts_policy::all);
  EXPECT_EQ(start.options.on_unknown, unknown_policy::resend);
  EXPECT_FALSE(start.options.expires_at) << "of a start it is the activity's";
}

TEST(activity_body_test, a_start_has_defaults) {
  auto start = read(R"({"action":"start","activityId":"a","activityType":"t","userId":"u",
    "payload":{},"options":{"alert":{"body":"b"},"attributesType":"T","attributes":{}}})");
  EXPECT_EQ(start.scope.kind, scope_kind::user);
  EXPECT_EQ(start.scope.name, "u");
  EXPECT_EQ(start.request.content_state, "{}");
  EXPECT_FALSE(start.request.expires_at);
  EXPECT_EQ(start.payload, R"({"alert":{"body":"b"},"attributes_type":"T","attributes":{}})");
  EXPECT_EQ(start.options.on_unknown, unknown_policy::give_up);
  EXPECT_EQ(start.options.receipts, receipts_policy::failures);
  EXPECT_FALSE(start.options.ttl);
  EXPECT_EQ(start.lane, "live-activity");
}

TEST(activity_body_test, a_start_may_name_its_broadcast_channel) {
  auto start = read(R"({"action":"start","activityId":"a","activityType":"t","userId":"u",
    "payload":{},"options":{"alert":{"body":"b"},"attributesType":"T","attributes":{},
    "inputPushToken":false,"inputPushChannel":"dHN0LXNyY2gtY2hubA==",
    "inputPushChannelEnvironment":"sandbox"}})");
  EXPECT_EQ(start.request.channel, "dHN0LXNyY2gtY2hubA==");
  EXPECT_EQ(start.request.channel_env, environment::sandbox);
  EXPECT_EQ(start.payload, R"({"alert":{"body":"b"},"attributes_type":"T","attributes":{},)"
                           R"("input_push_channel":"dHN0LXNyY2gtY2hubA=="})");
}

TEST(activity_body_test, an_update_finds_its_activity_by_id) {
  auto update = read(R"({"action":"update","activityId":"a","payload":{"n":1},
    "expiresAt":1769868000.0,"options":{"staleDate":0.0}})");
  EXPECT_EQ(update.request.action, activity_action::update);
  EXPECT_EQ(update.request.activity, "a");
  EXPECT_EQ(update.scope.kind, scope_kind::activity);
  EXPECT_EQ(update.payload, R"({"stale_date":0})");
  EXPECT_EQ(update.options.on_unknown, unknown_policy::resend);
  EXPECT_EQ(update.options.expires_at, timestamp{std::chrono::seconds{1769868000}});
  EXPECT_FALSE(update.request.expires_at);
}

TEST(activity_body_test, beside_an_id_type_and_scope_say_nothing) {
  auto update = read(R"({"action":"update","activityId":"a","activityType":"t","userId":"u",
    "topicId":"x","payload":{}})");
  EXPECT_EQ(update.request.activity, "a");
  EXPECT_EQ(update.request.type, "");
  EXPECT_EQ(update.scope.kind, scope_kind::activity);
  EXPECT_EQ(update.scope.name, "");
}

TEST(activity_body_test, an_end_finds_its_activity_by_type_and_scope_and_needs_no_payload) {
  auto end = read(R"({"action":"end","activityType":"t","topicId":"x"})");
  EXPECT_EQ(end.request.action, activity_action::end);
  EXPECT_EQ(end.request.activity, "");
  EXPECT_EQ(end.request.type, "t");
  EXPECT_EQ(end.request.content_state, "");
  EXPECT_EQ(end.scope.kind, scope_kind::topic);
  EXPECT_EQ(end.scope.name, "x");
  EXPECT_EQ(end.payload, "{}");
}

TEST(activity_body_test, what_only_a_start_says_is_left_out_of_others) {
  auto update = read(R"({"action":"update","activityId":"a","payload":{},"options":{
    "attributesType":"T","attributes":{},"inputPushToken":true,"inputPushChannel":"YQ==",
    "inputPushChannelEnvironment":"sandbox","priority":"high"}})");
  EXPECT_EQ(update.payload, R"({"priority":"high"})");
  EXPECT_EQ(update.request.channel, "");
}

/// A body, and the pointers of its errors in order, joined by spaces.
struct bad_activity {
  const char* what;
  std::string text;
  std::string pointers;

  friend std::ostream& operator<<(std::ostream& out, const bad_activity& one) {
    return out << one.what;
  }
};

class bad_activity_test : public ::testing::TestWithParam<bad_activity> {};

TEST_P(bad_activity_test, is_refused_with_pointers) {
  std::vector<field_error> errors;
  read_activity_body(GetParam().text, now, errors);
  std::string pointers;
  for (const auto& error : errors) {
    pointers += (pointers.empty() ? "" : " ") + ('"' + error.pointer + '"');
    EXPECT_FALSE(error.detail.empty());
  }
  EXPECT_EQ(pointers, GetParam().pointers);
}

/// A start of which the members given replace those it has.
std::string start_with(const std::string& members, const std::string& options = "") {
  return R"({"action":"start","activityId":"a","activityType":"t",)" + members +
         R"("payload":{},"options":{"alert":{"body":"b"},"attributesType":"T","attributes":{})" +
         options + "}}";
}

std::string update_with(const std::string& members) {
  return R"({"action":"update","activityId":"a","payload":{},)" + members + '}';
}

std::string update_option(const std::string& option) {
  return update_with(R"("options":{)" + option + '}');
}

constexpr auto to_user = R"("userId":"u",)";

INSTANTIATE_TEST_SUITE_P(
  all, bad_activity_test,
  ::testing::Values(
    bad_activity{"empty", "", "\"\""}, bad_activity{"not_an_object", "[]", "\"\""},
    bad_activity{"bad_utf8", "{\"action\":\"\xC3\x28\"}", "\"\""},
    bad_activity{"nothing", "{}", "\"/action\""},
    bad_activity{"action", R"({"action":"stop"})", "\"/action\""},
    bad_activity{"unknown_field", update_with(R"("colour":1)"), "\"/colour\""},
    bad_activity{"unknown_option", update_option(R"("colour":1)"), "\"/options/colour\""},
    bad_activity{"repeated_field", update_with(R"("payload":{})"), "\"/payload\""},
    bad_activity{"repeated_option", update_option(R"("ttl":1,"ttl":2)"), "\"/options/ttl\""},
    // A start without alert, type or attributes is refused here, not when it is sent.
    bad_activity{"bare_start", R"({"action":"start"})",
                 "\"/activityId\" \"/activityType\" \"/userId\" \"/options/alert\" "
                 "\"/options/attributesType\" \"/options/attributes\" \"/payload\""},
    bad_activity{"start_without_alert",
                 R"({"action":"start","activityId":"a","activityType":"t","userId":"u",
                     "payload":{},"options":{"attributesType":"T","attributes":{}}})",
                 "\"/options/alert\""},
    bad_activity{"start_without_attributes_type",
                 R"({"action":"start","activityId":"a","activityType":"t","userId":"u",
                     "payload":{},"options":{"alert":{"body":"b"},"attributes":{}}})",
                 "\"/options/attributesType\""},
    bad_activity{"start_without_attributes",
                 R"({"action":"start","activityId":"a","activityType":"t","userId":"u",
                     "payload":{},"options":{"alert":{"body":"b"},"attributesType":"T"}})",
                 "\"/options/attributes\""},
    bad_activity{"start_without_type",
                 R"({"action":"start","activityId":"a","userId":"u","payload":{},"options":
                     {"alert":{"body":"b"},"attributesType":"T","attributes":{}}})",
                 "\"/activityType\""},
    bad_activity{"start_without_scope", start_with(""), "\"/userId\""},
    bad_activity{"start_of_two_scopes", start_with(R"("userId":"u","topicId":"x",)"),
                 "\"/topicId\""},
    bad_activity{"null_alert",
                 R"({"action":"start","activityId":"a","activityType":"t","userId":"u",
                     "payload":{},"options":{"alert":null,"attributesType":null,
                     "attributes":null}})",
                 "\"/options/alert\" \"/options/attributesType\" \"/options/attributes\""},
    bad_activity{"expired_start", start_with(R"("userId":"u","expiresAt":1769860800,)"),
                 "\"/expiresAt\""},
    bad_activity{"token_and_channel",
                 start_with(to_user, R"(,"inputPushToken":true,"inputPushChannel":"YQ==")"),
                 "\"/options/inputPushChannel\""},
    bad_activity{"environment_of_no_channel",
                 start_with(to_user, R"(,"inputPushChannelEnvironment":"sandbox")"),
                 "\"/options/inputPushChannelEnvironment\""},
    bad_activity{"channel_environment", start_with(to_user, R"(,"inputPushChannel":"YQ==",
                                         "inputPushChannelEnvironment":"test")"),
                 "\"/options/inputPushChannelEnvironment\""},
    bad_activity{"channel", start_with(to_user, R"(,"inputPushChannel":"a b")"),
                 "\"/options/inputPushChannel\""},
    bad_activity{"empty_channel", start_with(to_user, R"(,"inputPushChannel":"")"),
                 "\"/options/inputPushChannel\""},
    bad_activity{"update_of_nothing", R"({"action":"update","payload":{}})", "\"/activityId\""},
    bad_activity{"update_of_a_type_alone", R"({"action":"update","activityType":"t","payload":{}})",
                 "\"/userId\""},
    bad_activity{"update_of_a_scope_alone", R"({"action":"update","userId":"u","payload":{}})",
                 "\"/activityId\""},
    bad_activity{"update_of_two_scopes",
                 R"({"action":"update","activityType":"t","userId":"u","topicId":"x",
                     "payload":{}})",
                 "\"/topicId\""},
    bad_activity{"update_without_payload", R"({"action":"update","activityId":"a"})",
                 "\"/payload\""},
    bad_activity{"end_of_nothing", R"({"action":"end"})", "\"/activityId\""},
    bad_activity{"null_id", R"({"action":"end","activityId":null})", "\"/activityId\""},
    bad_activity{"bad_ids",
                 R"({"action":"end","activityId":"","activityType":"a\u0007","userId":1,
                     "topicId":""})",
                 "\"/activityId\" \"/activityType\" \"/userId\" \"/topicId\""},
    bad_activity{"long_id", R"({"action":"end","activityId":")" + std::string(257, 'x') + "\"}",
                 "\"/activityId\""},
    bad_activity{"payload_type", R"({"action":"update","activityId":"a","payload":"{}"})",
                 "\"/payload\""},
    bad_activity{"null_payload_of_an_update",
                 R"({"action":"update","activityId":"a","payload":null})", "\"/payload\""},
    bad_activity{"payload_twice",
                 R"({"action":"update","activityId":"a","payload":{"x":{"y":1,"y":2}}})",
                 "\"/payload/x/y\""},
    bad_activity{"options_type",
                 R"({"action":"start","activityId":"a","activityType":"t","userId":"u",
                     "payload":{},"options":1})",
                 "\"/options\""},
    bad_activity{"lane_type", update_with(R"("lane":1)"), "\"/lane\""},
    bad_activity{"past", update_with(R"("expiresAt":"2026-01-31T12:00:00Z")"), "\"/expiresAt\""},
    bad_activity{"expiry_type", update_with(R"("expiresAt":1.5)"), "\"/expiresAt\""},
    bad_activity{"milliseconds", update_with(R"("expiresAt":1769868000000)"), "\"/expiresAt\""},
    bad_activity{"alert_type", update_option(R"("alert":"b")"), "\"/options/alert\""},
    bad_activity{"empty_alert", update_option(R"("alert":{"sound":"x"})"), "\"/options/alert\""},
    bad_activity{"alert_members", update_option(R"("alert":{"title":1,"body":null,"colour":""})"),
                 "\"/options/alert/title\" \"/options/alert/colour\""},
    bad_activity{"attributes_type", update_option(R"("attributesType":"","attributes":[])"),
                 "\"/options/attributesType\" \"/options/attributes\""},
    bad_activity{"priority", update_option(R"("priority":"low")"), "\"/options/priority\""},
    bad_activity{"dates", update_option(R"("staleDate":"soon","dismissalDate":-1)"),
                 "\"/options/staleDate\" \"/options/dismissalDate\""},
    bad_activity{"relevance", update_option(R"("relevanceScore":"1")"),
                 "\"/options/relevanceScore\""},
    bad_activity{"collapse_id", update_option(R"("collapseId":")" + std::string(65, 'x') + '"'),
                 "\"/options/collapseId\""},
    bad_activity{"collapse_id_of_two_lines", update_option(R"("collapseId":"a\nb")"),
                 "\"/options/collapseId\""},
    bad_activity{"ttl", update_option(R"("ttl":-1)"), "\"/options/ttl\""},
    bad_activity{"input_push_token", update_option(R"("inputPushToken":1)"),
                 "\"/options/inputPushToken\""},
    bad_activity{"policies", update_option(R"("receipts":"some","onUnknown":"drop")"),
                 "\"/options/receipts\" \"/options/onUnknown\""},
    bad_activity{"without_aps", update_option(R"("apns":{"payload":{"aps":null}})"),
                 "\"/options/apns/payload/aps\""},
    bad_activity{"flat_overlay", update_option(R"("apns":{"aps":{}})"), "\"/options/apns/aps\""},
    bad_activity{
      "headers_of_others",
      update_option(R"("apns":{"headers":{"apns-push-type":"alert","apns-priority":"1"}})"),
      "\"/options/apns/headers/apns-push-type\" "
      "\"/options/apns/headers/apns-priority\""},
    bad_activity{"times", update_option(R"("timestamp":1769868000000,"expiration":1)"),
                 "\"/options/timestamp\" \"/options/expiration\""},
    bad_activity{"overlays", update_option(R"("apns":"x","fcm":[])"),
                 "\"/options/apns\" \"/options/fcm\""}),
  [](const auto& info) { return std::string{info.param.what}; });

TEST(activity_body_test, a_spoilt_text_is_read_or_refused) {
  std::mt19937 random{7};
  std::uniform_int_distribution<std::size_t> position{0, whole_start.size() - 1};
  constexpr std::string_view letters = "{}[]\",:0-.eE \\truefalsn\x01\xFF";
  std::uniform_int_distribution<std::size_t> letter{0, letters.size() - 1};
  int refused = 0;
  for (int i = 0; i < 5'000; ++i) {
    std::string text{whole_start};
    for (int spoilt = 0; spoilt <= i % 3; ++spoilt)
      text[position(random)] = letters[letter(random)];
    std::vector<field_error> errors;
    auto start = read_activity_body(text, now, errors);
    refused += !errors.empty();
    if (errors.empty()) {
      EXPECT_FALSE(start.scope.name.empty() && start.request.activity.empty()) << text;
      std::vector<field_error> none;
      read_activity_body(R"({"action":"update","activityId":"a","payload":)" + start.payload + '}',
                         now, none);
      EXPECT_TRUE(none.empty()) << "the payload is no JSON object: " << start.payload;
    }
  }
  EXPECT_GT(refused, 1'000);
  EXPECT_LT(refused, 5'000);
}

} // namespace

} // namespace signalbox::http
