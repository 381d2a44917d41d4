#include "adapters/simulator/fcm_service.hpp"
#include "adapters/simulator/text_hash.hpp"
#include "tests/adapters/simulator/fcm_fixture.hpp"

#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>
#include <gtest/gtest.h>

#include <functional>
#include <ostream>

namespace signalbox::sim {
namespace {

using test::message;
using test::registration;

class fcm_service_test : public testing::Test {
protected:
  fcm_service_test() {
    service.set_token_uri(std::string{test::token_uri});
    token = std::string{ask_for_token().at("access_token").as_string()};
  }

  answer handle(const message& what) {
    std::vector<header_field> fields;
    for (const auto& [name, value] : what.fields)
      fields.push_back({name, value});
    auto body = what.body;
    body.reserve(body.size() + body_padding);
    answer out;
    service.handle({what.method, what.path, fields, body, body.size()}, out);
    return out;
  }

  boost::json::value ask_for_token(const test::assertion_options& options = {}) {
    return boost::json::parse(
      handle(test::make_token_request(test::make_assertion(test::shared_tls(), options))).body);
  }

  message valid(int number = 1) { return test::make_fcm_message(token, registration(number)); }
  message with(const std::string& more) {
    return test::make_fcm_message(token, registration(1), more);
  }

  void set_faults(const std::string& members) {
    const auto error = service.faults().apply(boost::json::parse(members).get_object());
    ASSERT_FALSE(error) << error->member << " " << error->detail;
  }

  traffic_totals totals() { return service.stats().totals(); }

  fcm_service service{1, "job", "seq", test::shared_tls().fcm_public_key};
  std::string token;
};

boost::json::value error_of(const answer& out) {
  return boost::json::parse(out.body).at("error");
}

/// FCM's own code of an error, or nothing.
std::string code_of(const answer& out) {
  const auto error = error_of(out).as_object();
  if (!error.contains("details"))
    return {};
  for (const auto& detail : error.at("details").as_array())
    if (detail.as_object().contains("errorCode"))
      return std::string{detail.at("errorCode").as_string()};
  return {};
}

std::string field_of(const answer& out) {
  const auto error = error_of(out).as_object();
  if (!error.contains("details"))
    return {};
  for (const auto& detail : error.at("details").as_array())
    if (detail.as_object().contains("fieldViolations"))
      return std::string{detail.at("fieldViolations").at(0).at("field").as_string()};
  return {};
}

TEST_F(fcm_service_test, accepts_and_names_each_message) {
  const auto first = handle(valid(1));
  EXPECT_EQ(first.status, 200) << first.body;
  EXPECT_EQ(first.content_type, "application/json; charset=UTF-8");
  EXPECT_EQ(boost::json::parse(first.body).at("name"),
            test::json("projects/signalbox-sim/messages/1"));
  EXPECT_TRUE(first.authenticated);
  EXPECT_NE(handle(valid(1)).body, first.body);
  EXPECT_EQ(totals().requests, 2u);
  EXPECT_EQ(totals().accepted, 2u);
  EXPECT_EQ(totals().unique_targets, 1u);
  EXPECT_EQ(totals().duplicates, 0u);
  EXPECT_EQ(totals().token_requests, 1u);
}

TEST_F(fcm_service_test, takes_all_that_a_message_can_carry) {
  const auto out = handle(with(
    R"("data":{"k":"v"},"notification":{"title":"t","body":"b","image":"https://example.com/i"},)"
    R"("android":{"collapse_key":"c","priority":"high","ttl":"3.5s","data":{"a":"b"},)"
    R"("notification":{"tag":"t","sound":"s","click_action":"A","channel_id":"x",)"
    R"("notification_count":3,"sticky":true}},"apns":{"headers":{"apns-priority":"5"},)"
    R"("payload":{"aps":{}},"live_activity_token":"x"},"webpush":{"headers":{}},)"
    R"("fcm_options":{"analytics_label":"x"})"));
  EXPECT_EQ(out.status, 200) << out.body;
  EXPECT_EQ(handle(with(R"("android":{"collapseKey":"c","ttl":"0s"})")).status, 200);
}

struct rejected_body {
  const char* name;
  const char* more;
  const char* field;
  const char* code = "";
};

void PrintTo(const rejected_body& value, std::ostream* out) {
  *out << value.name;
}

class fcm_body_test : public fcm_service_test, public testing::WithParamInterface<rejected_body> {};

TEST_P(fcm_body_test, is_refused_with_the_field) {
  const auto out = handle(with(GetParam().more));
  EXPECT_EQ(out.status, 400);
  EXPECT_EQ(error_of(out).at("status"), test::json("INVALID_ARGUMENT"));
  EXPECT_EQ(field_of(out), GetParam().field) << out.body;
  EXPECT_EQ(code_of(out), GetParam().code) << out.body;
  EXPECT_EQ(totals().by_reason.at("INVALID_ARGUMENT"), 1u);
  EXPECT_EQ(totals().unique_targets, 1u);
}

const rejected_body rejected_bodies[] = {
  {"unknown_name", R"("titel":"x")", "message"},
  {"unknown_name_inside", R"("android":{"notification":{"titel":"x"}})",
   "message.android.notification"},
  {"title_number", R"("notification":{"title":5})", "message.notification.title"},
  {"data_number", R"("data":{"a":"b","n":5})", "message.data[1].value"},
  {"data_list", R"("data":[])", "message.data"},
  {"data_from", R"("data":{"from":"x"})", "message.data[0]", "INVALID_ARGUMENT"},
  {"data_google", R"("data":{"google.x":"x"})", "message.data[0]", "INVALID_ARGUMENT"},
  {"data_gcm", R"("data":{"gcm_x":"x"})", "message.data[0]", "INVALID_ARGUMENT"},
  {"priority", R"("android":{"priority":"loud"})", "message.android.priority"},
  {"ttl_number", R"("android":{"ttl":5})", "message.android.ttl"},
  {"ttl_without_unit", R"("android":{"ttl":"5"})", "message.android.ttl"},
  {"ttl_digits", R"("android":{"ttl":"5.1234567891s"})", "message.android.ttl"},
  {"ttl_negative", R"("android":{"ttl":"-1s"})", "message.android.ttl", "INVALID_ARGUMENT"},
  {"ttl_too_long", R"("android":{"ttl":"2419201s"})", "message.android.ttl", "INVALID_ARGUMENT"},
  {"two_targets", R"("topic":"x")", "message"},
};

INSTANTIATE_TEST_SUITE_P(all, fcm_body_test, testing::ValuesIn(rejected_bodies),
                         [](const auto& info) { return info.param.name; });

TEST_F(fcm_service_test, a_body_that_is_no_message_is_refused) {
  for (const auto* body : {"", "{", "[]", "{}", R"({"message":5})", R"({"message":{}})"}) {
    auto what = valid();
    what.body = body;
    const auto out = handle(what);
    EXPECT_EQ(out.status, 400) << body;
    EXPECT_EQ(code_of(out), "") << body;
  }
}

TEST_F(fcm_service_test, a_token_of_a_wrong_form_is_named) {
  for (const auto* wrong : {"short", "with space in it", "with\\\"quote"}) {
    const auto out = handle(test::make_fcm_message(token, wrong));
    EXPECT_EQ(out.status, 400);
    EXPECT_EQ(code_of(out), "INVALID_ARGUMENT");
    EXPECT_EQ(field_of(out), "message.token");
  }
}

TEST_F(fcm_service_test, the_size_of_notification_and_data_is_limited) {
  const auto frame = std::string{R"({"k":""})"}.size();
  const auto sized = [&](std::size_t size) {
    return with(R"("data":{"k":")" + std::string(size - frame, 'x') + "\"}");
  };
  EXPECT_EQ(handle(sized(fcm_payload_limit)).status, 200);
  const auto out = handle(sized(fcm_payload_limit + 1));
  EXPECT_EQ(out.status, 400);
  EXPECT_EQ(code_of(out), "INVALID_ARGUMENT");
  EXPECT_EQ(field_of(out), "");
}

TEST_F(fcm_service_test, a_body_like_the_last_one_is_still_checked) {
  EXPECT_EQ(handle(valid(1)).status, 200);
  EXPECT_EQ(handle(valid(2)).status, 200);
  auto bad = valid(3);
  bad.body.replace(bad.body.find("registration:"), 5, "\\u0020");
  EXPECT_EQ(handle(bad).status, 400);
  EXPECT_EQ(handle(with(R"("notification":{"title":5})")).status, 400);
  EXPECT_EQ(handle(valid(3)).status, 200);
  EXPECT_EQ(totals().unique_targets, 4u);
  EXPECT_EQ(totals().unique_accepted, 3u);
}

TEST_F(fcm_service_test, duplicates_are_told_by_the_job_marker_and_the_token) {
  const auto marked = [&](int number, const std::string& job) {
    return handle(
      test::make_fcm_message(token, registration(number), R"("data":{"job":")" + job + "\"}"));
  };
  EXPECT_EQ(marked(1, "a").status, 200);
  marked(2, "a");
  marked(1, "b");
  EXPECT_EQ(totals().duplicates, 0u);
  marked(1, "a");
  EXPECT_EQ(totals().duplicates, 1u);
  EXPECT_EQ(totals().unique_apns_ids, 3u);
  set_faults(R"({"mix":{"503 UNAVAILABLE":1}})");
  marked(3, "a");
  set_faults(R"({"mix":{}})");
  marked(3, "a");
  EXPECT_EQ(totals().duplicates, 1u);
}

TEST_F(fcm_service_test, a_trial_is_answered_and_is_no_duplicate) {
  auto what = test::make_fcm_message(token, registration(1), R"("data":{"job":"a"})");
  what.body.insert(1, R"("validate_only":true,)");
  for (int i = 0; i < 2; ++i)
    EXPECT_EQ(boost::json::parse(handle(what).body).at("name"),
              test::json("projects/signalbox-sim/messages/fake_message_id"));
  EXPECT_EQ(totals().duplicates, 0u);
}

TEST_F(fcm_service_test, credentials_are_checked_before_the_message) {
  auto what = valid();
  what.body = "{";
  what.set("authorization", "Bearer x");
  auto out = handle(what);
  EXPECT_EQ(out.status, 401);
  EXPECT_EQ(error_of(out).at("status"), test::json("UNAUTHENTICATED"));
  EXPECT_EQ(code_of(out), "");
  EXPECT_FALSE(out.authenticated);
  what.fields.erase("authorization");
  EXPECT_EQ(handle(what).status, 401);
  what = valid();
  what.path = "/v1/projects/another/messages:send";
  out = handle(what);
  EXPECT_EQ(out.status, 403);
  EXPECT_EQ(error_of(out).at("status"), test::json("PERMISSION_DENIED"));
  what.path = "/v1/projects/signalbox-sim/messages";
  EXPECT_EQ(handle(what).status, 404);
  EXPECT_EQ(handle(valid().set("content-type", "text/plain")).status, 400);
}

TEST_F(fcm_service_test, access_tokens_expire) {
  set_faults(R"({"token_generation":1})");
  EXPECT_EQ(handle(valid()).status, 401);
  token = std::string{ask_for_token().at("access_token").as_string()};
  EXPECT_EQ(handle(valid()).status, 200);
  set_faults(R"({"token_generation":0,"token_lifetime_s":1})");
  const auto granted = ask_for_token();
  EXPECT_EQ(granted.at("expires_in"), test::json(1));
  EXPECT_EQ(granted.at("token_type"), test::json("Bearer"));
}

struct rejected_assertion {
  const char* name;
  const char* error;
  std::function<void(test::assertion_options&)> spoil;
};

void PrintTo(const rejected_assertion& value, std::ostream* out) {
  *out << value.name;
}

class fcm_assertion_test : public fcm_service_test,
                           public testing::WithParamInterface<rejected_assertion> {};

TEST_P(fcm_assertion_test, is_refused) {
  test::assertion_options options;
  GetParam().spoil(options);
  const auto out =
    handle(test::make_token_request(test::make_assertion(test::shared_tls(), options)));
  EXPECT_EQ(out.status, 400);
  EXPECT_EQ(boost::json::parse(out.body).at("error"), test::json(GetParam().error));
}

const rejected_assertion rejected_assertions[] = {
  {"algorithm", "invalid_grant", [](auto& o) { o.header = R"({"alg":"HS256"})"; }},
  {"key_id", "invalid_grant", [](auto& o) { o.header = R"({"alg":"RS256","kid":"x"})"; }},
  {"issuer", "invalid_grant", [](auto& o) { o.issuer = "x@example.com"; }},
  {"audience", "invalid_grant", [](auto& o) { o.audience = "https://example.com"; }},
  {"scope", "invalid_scope", [](auto& o) { o.scope = "https://example.com/scope"; }},
  {"expired", "invalid_grant", [](auto& o) { o.issued_ago_s = 3601; }},
  {"not_a_time", "invalid_grant", [](auto& o) { o.fraction = "e300"; }},
  {"from_the_future", "invalid_grant", [](auto& o) { o.issued_ago_s = -600; }},
  {"long_life", "invalid_grant", [](auto& o) { o.life_s = 3601; }},
};

INSTANTIATE_TEST_SUITE_P(all, fcm_assertion_test, testing::ValuesIn(rejected_assertions),
                         [](const auto& info) { return info.param.name; });

TEST_F(fcm_service_test, an_assertion_may_be_for_googles_own_endpoints) {
  for (const std::string audience :
       {"https://oauth2.googleapis.com/token", "https://www.googleapis.com/oauth2/v4/token"}) {
    auto what =
      test::make_token_request(test::make_assertion(test::shared_tls(), {.audience = audience}));
    EXPECT_EQ(handle(what).status, 200) << audience;
    what.path = "/oauth2/v4/token";
    EXPECT_EQ(handle(what).status, 200) << audience;
  }
}

TEST_F(fcm_service_test, times_of_an_assertion_may_have_a_fraction) {
  EXPECT_TRUE(ask_for_token({.fraction = ".5"}).as_object().contains("access_token"));
}

TEST_F(fcm_service_test, an_assertion_of_another_key_or_form_is_refused) {
  auto assertion = test::make_assertion(test::shared_tls());
  assertion[assertion.size() - 9] = assertion[assertion.size() - 9] == 'A' ? 'B' : 'A';
  EXPECT_EQ(handle(test::make_token_request(assertion)).status, 400);
  EXPECT_EQ(handle(test::make_token_request("x")).status, 400);
  auto what = test::make_token_request(test::make_assertion(test::shared_tls()));
  EXPECT_EQ(handle(what.set("content-type", "application/json")).status, 400);
  what = test::make_token_request("x");
  what.body = "grant_type=password";
  EXPECT_EQ(boost::json::parse(handle(what).body).at("error"),
            test::json("unsupported_grant_type"));
  what.method = "GET";
  EXPECT_EQ(handle(what).status, 405);
  EXPECT_EQ(totals().requests, 0u);
}

TEST_F(fcm_service_test, the_token_endpoint_can_fail) {
  set_faults(R"({"token_status":503,"retry_after_s":3})");
  const auto out = handle(test::make_token_request("x"));
  EXPECT_EQ(out.status, 503);
  EXPECT_EQ(out.retry_after_s, 3);
  set_faults(R"({"token_status":401})");
  EXPECT_EQ(handle(test::make_token_request("x")).status, 401);
  EXPECT_EQ(handle(valid()).status, 200);
}

TEST_F(fcm_service_test, dead_tokens_are_those_of_the_hash) {
  set_faults(R"({"mix":{"404 UNREGISTERED":0.5}})");
  int dead = 0;
  for (int i = 0; i < 100; ++i) {
    const auto out = handle(valid(i));
    const bool is_dead = text_fraction(registration(i)) < 0.5;
    dead += is_dead ? 1 : 0;
    EXPECT_EQ(out.status, is_dead ? 404 : 200);
    if (is_dead) {
      EXPECT_EQ(code_of(out), "UNREGISTERED");
      EXPECT_EQ(error_of(out).at("status"), test::json("NOT_FOUND"));
    }
  }
  EXPECT_GT(dead, 20);
  EXPECT_EQ(totals().by_reason.at("UNREGISTERED"), static_cast<std::uint64_t>(dead));
}

TEST_F(fcm_service_test, scripted_errors_have_fcms_form) {
  struct row {
    const char* key;
    int status;
    const char* canonical;
    const char* code;
    const char* field;
    int retry_after_s;
  };
  for (const auto& want : {
         row{"429 QUOTA_EXCEEDED", 429, "RESOURCE_EXHAUSTED", "QUOTA_EXCEEDED", "", 2},
         row{"503 UNAVAILABLE", 503, "UNAVAILABLE", "UNAVAILABLE", "", 2},
         row{"500 INTERNAL", 500, "INTERNAL", "INTERNAL", "", 0},
         row{"403 SENDER_ID_MISMATCH", 403, "PERMISSION_DENIED", "SENDER_ID_MISMATCH", "", 0},
         row{"403 PERMISSION_DENIED", 403, "PERMISSION_DENIED", "", "", 0},
         row{"401 THIRD_PARTY_AUTH_ERROR", 401, "UNAUTHENTICATED", "THIRD_PARTY_AUTH_ERROR", "", 0},
         row{"401 UNAUTHENTICATED", 401, "UNAUTHENTICATED", "", "", 0},
         row{"400 INVALID_ARGUMENT", 400, "INVALID_ARGUMENT", "INVALID_ARGUMENT", "message.token",
             0},
       }) {
    set_faults(std::string{R"({"retry_after_s":2,"mix":{")"} + want.key + R"(":1}})");
    const auto out = handle(valid());
    EXPECT_EQ(out.status, want.status) << want.key;
    EXPECT_EQ(error_of(out).at("status"), test::json(want.canonical)) << want.key;
    EXPECT_EQ(code_of(out), want.code) << want.key;
    EXPECT_EQ(field_of(out), want.field) << want.key;
    EXPECT_EQ(out.retry_after_s, want.retry_after_s) << want.key;
    EXPECT_EQ(totals().by_reason.at(std::string{want.key}.substr(4)), 1u) << want.key;
  }
}

TEST_F(fcm_service_test, silence_and_resets_count_as_accepted) {
  set_faults(R"({"mix":{"no-answer":1}})");
  EXPECT_EQ(handle(valid()).what, answer::fate::silent);
  set_faults(R"({"mix":{"reset":1}})");
  EXPECT_EQ(handle(valid()).what, answer::fate::reset);
  EXPECT_EQ(totals().accepted, 2u);
}

TEST_F(fcm_service_test, keeps_what_a_device_got_last) {
  handle(valid(7));
  const auto device = service.devices().find(registration(7));
  ASSERT_TRUE(device);
  EXPECT_EQ(device->at("last").at("body").at("message").at("notification").at("title"),
            test::json("hello"));
}

std::string activity_data(const std::string& activity, const std::string& payload) {
  return R"("data":{"type":"live_activity","action":"update","activity_id":")" + activity +
         R"(","payload":")" + payload + "\"}";
}

TEST_F(fcm_service_test, judges_order_per_token_and_activity) {
  const auto update = [&](int number, const std::string& activity, const std::string& payload) {
    const auto data = activity_data(activity, payload);
    EXPECT_EQ(handle(test::make_fcm_message(token, registration(number), data)).status, 200);
  };
  update(1, "match", R"({\"seq\":2})");
  update(2, "match", R"({\"seq\":1})");
  update(2, "match", R"({\"seq\":3})");
  update(1, "race", R"({\"seq\":1})");
  update(1, "match", R"({\"seq\":2})");
  update(1, "match", R"({\"version\":1})");
  update(1, "match", "no object");
  EXPECT_EQ(totals().out_of_order, 0u);
  update(1, "match", R"({\"seq\":1})");
  EXPECT_EQ(totals().out_of_order, 1u);
}

TEST_F(fcm_service_test, judges_no_order_of_what_is_no_live_activity_or_was_not_accepted) {
  const auto newer = activity_data("match", R"({\"seq\":2})");
  auto older = activity_data("match", R"({\"seq\":1})");
  set_faults(R"({"mix":{"503 UNAVAILABLE":1}})");
  handle(with(newer));
  set_faults(R"({"mix":{}})");
  handle(with(older));
  EXPECT_EQ(totals().out_of_order, 0u);
  handle(with(newer));
  older.replace(older.find("live_activity"), 13, "else_activity");
  EXPECT_EQ(handle(with(older)).status, 200);
  EXPECT_EQ(totals().out_of_order, 0u);
}

} // namespace
} // namespace signalbox::sim
