#include "adapters/simulator/apns_service.hpp"
#include "adapters/simulator/text_hash.hpp"
#include "adapters/simulator/wall_time.hpp"
#include "tests/adapters/simulator/simulator_fixture.hpp"

#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>
#include <gtest/gtest.h>

#include <functional>
#include <iterator>

namespace signalbox::sim {
namespace {

using test::apns_id;
using test::device;
using test::message;

class apns_service_test : public testing::Test {
protected:
  answer handle(const message& what) {
    std::vector<header_field> fields;
    for (const auto& [name, value] : what.fields)
      fields.push_back({name, value});
    auto body = what.body;
    body.reserve(body.size() + body_padding);
    answer out;
    service.handle({what.method, what.path, fields, body, body.size()}, out);
    latest_id.assign(out.apns_id);
    return out;
  }

  message valid(int number = 1) { return test::make_message(token, device(number)); }

  void set_faults(const std::string& members) {
    ASSERT_FALSE(service.faults().apply(boost::json::parse(members).get_object()));
  }

  traffic_totals totals() { return service.stats().totals(); }

  const std::string token = test::make_provider_token(test::shared_tls());
  apns_service service{1, "com.example.app", "seq", test::shared_tls().apns_public_key};
  std::string latest_id;
};

TEST_F(apns_service_test, accepts_and_echoes_the_id) {
  const auto out = handle(valid().set("apns-id", apns_id(5)));
  EXPECT_EQ(out.status, 200);
  EXPECT_EQ(latest_id, apns_id(5));
  EXPECT_TRUE(out.body.empty());
  EXPECT_TRUE(out.content_type.empty());
  EXPECT_TRUE(out.authenticated);
}

TEST_F(apns_service_test, takes_a_token_in_the_moment_it_is_signed) {
  for (int i = 0; i < 3; ++i) {
    const auto second = wall_time_s();
    while (wall_time_s() == second)
      continue;
    const auto now = test::make_provider_token(test::shared_tls(), {.issued_at_s = second + 1});
    EXPECT_EQ(handle(test::make_message(now, device(i))).status, 200);
  }
}

TEST_F(apns_service_test, makes_an_id_where_none_is_given) {
  handle(valid());
  const auto first = latest_id;
  EXPECT_TRUE(is_apns_id(first)) << first;
  handle(valid());
  EXPECT_NE(latest_id, first);
  EXPECT_EQ(totals().duplicates, 0u);
  EXPECT_EQ(totals().unique_apns_ids, 0u);
}

struct rejection_case {
  const char* name;
  int status;
  const char* reason;
  std::function<void(message&)> spoil;
};

void PrintTo(const rejection_case& value, std::ostream* out) {
  *out << value.name;
}

std::function<void(message&)> with(std::string name, std::string value) {
  return [=](message& m) { m.set(name, value); };
}
std::function<void(message&)> without(std::string name) {
  return [=](message& m) { m.fields.erase(name); };
}
std::function<void(message&)> at(std::string path) {
  return [=](message& m) { m.path = path; };
}
std::function<void(message&)> body(std::string text) {
  return [=](message& m) { m.body = text; };
}
std::function<void(message&)> twice(std::string name, std::string value) {
  return [=](message& m) { m.set(name, value).fields.emplace(name, value); };
}
std::function<void(message&)> signed_as(test::token_options options) {
  return [=](message& m) {
    m.set("authorization", "bearer " + test::make_provider_token(test::shared_tls(), options));
  };
}
std::function<void(message&)> typed(std::string type, std::string topic) {
  return [=](message& m) { m.set("apns-push-type", type).set("apns-topic", topic); };
}
const std::string update_body =
  R"({"aps":{"timestamp":1700000000,"event":"update","content-state":{"seq":1}}})";
std::function<void(message&)> live_activity(std::string text) {
  return [=](message& m) {
    typed("liveactivity", "com.example.app.push-type.liveactivity")(m);
    m.body = text;
  };
}
std::string sized_body(std::size_t size) {
  const std::string head = R"({"aps":{},"x":")";
  const std::string tail = R"("})";
  return head + std::string(size - head.size() - tail.size(), 'x') + tail;
}

class apns_rejection_test : public apns_service_test,
                            public testing::WithParamInterface<rejection_case> {};

TEST_P(apns_rejection_test, answers_with_the_reason) {
  auto what = valid();
  GetParam().spoil(what);
  const auto out = handle(what);
  EXPECT_EQ(out.status, GetParam().status);
  EXPECT_EQ(boost::json::parse(out.body).at("reason"), test::json(GetParam().reason));
  EXPECT_EQ(boost::json::parse(out.body).as_object().contains("detail"),
            std::string{GetParam().reason} == "BadPayload");
  EXPECT_TRUE(is_apns_id(latest_id));
  EXPECT_EQ(out.authenticated,
            GetParam().status == 413 ||
              (GetParam().status == 400 && std::string{GetParam().reason} != "MissingDeviceToken" &&
               std::string{GetParam().reason} != "DuplicateHeaders" &&
               std::string{GetParam().reason} != "BadMessageId"));
  EXPECT_EQ(totals().requests, 1u);
  EXPECT_EQ(totals().rejected, 1u);
  EXPECT_EQ(totals().accepted, 0u);
  EXPECT_EQ(totals().by_reason.at(GetParam().reason), 1u);
}

const rejection_case rejections[] = {
  {"get", 405, "MethodNotAllowed", [](message& m) { m.method = "GET"; }},
  {"other_path", 404, "BadPath", at("/4/device/00112233")},
  {"below_device", 404, "BadPath", at("/3/device/00112233/x")},
  {"devices", 404, "BadPath", at("/3/devices")},
  {"no_device", 400, "MissingDeviceToken", at("/3/device/")},
  {"no_slash", 400, "MissingDeviceToken", at("/3/device")},
  {"not_hex", 400, "BadDeviceToken", at("/3/device/0011223g")},
  {"odd_hex", 400, "BadDeviceToken", at("/3/device/001122334")},
  {"short_hex", 400, "BadDeviceToken", at("/3/device/001122")},
  {"no_authorization", 403, "MissingProviderToken", without("authorization")},
  {"basic_authorization", 403, "MissingProviderToken", with("authorization", "basic x")},
  {"nonsense_token", 403, "InvalidProviderToken", with("authorization", "bearer x.y.z")},
  {"old_token", 403, "ExpiredProviderToken", signed_as({.age_s = 3700})},
  {"future_token", 403, "InvalidProviderToken", signed_as({.age_s = -600})},
  {"other_team", 403, "InvalidProviderToken", signed_as({.team = "OTHER"})},
  {"no_topic", 400, "MissingTopic", without("apns-topic")},
  {"empty_topic", 400, "BadTopic", with("apns-topic", "")},
  {"topic_characters", 400, "BadTopic", with("apns-topic", "com.example app")},
  {"other_bundle", 400, "DeviceTokenNotForTopic", with("apns-topic", "com.example.other")},
  {"longer_bundle", 400, "DeviceTokenNotForTopic", with("apns-topic", "com.example.app2")},
  {"unknown_suffix", 400, "TopicDisallowed", with("apns-topic", "com.example.app.more")},
  {"suffix_of_another_type", 400, "BadTopic", with("apns-topic", "com.example.app.voip")},
  {"no_suffix", 400, "BadTopic", typed("liveactivity", "com.example.app")},
  {"mdm", 400, "TopicDisallowed", typed("mdm", "com.example.app")},
  {"push_type", 400, "InvalidPushType", with("apns-push-type", "loud")},
  {"priority", 400, "BadPriority", with("apns-priority", "7")},
  {"empty_priority", 400, "BadPriority", with("apns-priority", "")},
  {"loud_background", 400, "BadPriority",
   [](message& m) { m.set("apns-push-type", "background").set("apns-priority", "10"); }},
  {"background_by_default", 400, "BadPriority", with("apns-push-type", "background")},
  {"expiration_text", 400, "BadExpirationDate", with("apns-expiration", "tomorrow")},
  {"expiration_sign", 400, "BadExpirationDate", with("apns-expiration", "-1")},
  {"collapse_id", 400, "BadCollapseId", with("apns-collapse-id", std::string(65, 'x'))},
  {"id_letters", 400, "BadMessageId", with("apns-id", "0000000G-0000-8000-8000-000000000000")},
  {"id_short", 400, "BadMessageId", with("apns-id", "0000000a-0000-8000-8000-00000000000")},
  {"id_dashes", 400, "BadMessageId", with("apns-id", "0000000a00000-8000-8000-000000000000")},
  {"two_topics", 400, "DuplicateHeaders", twice("apns-topic", "com.example.app")},
  {"two_ids", 400, "DuplicateHeaders", twice("apns-id", apns_id(1))},
  {"two_priorities", 400, "DuplicateHeaders", twice("apns-priority", "5")},
  {"no_body", 400, "PayloadEmpty", body("")},
  {"no_json", 400, "BadPayload", body("hello")},
  {"no_aps", 400, "BadPayload", body(R"({"alert":"hello"})")},
  {"live_activity_priority", 400, "BadPriority",
   [](message& m) {
     live_activity(update_body)(m);
     m.set("apns-priority", "1");
   }},
  {"live_activity_as_a_push", 400, "BadTopic",
   [](message& m) {
     live_activity(update_body)(m);
     m.set("apns-push-type", "alert");
   }},
  {"live_activity_without_a_state", 400, "BadPayload",
   live_activity(R"({"aps":{"timestamp":1,"event":"update"}})")},
  {"large_live_activity", 413, "PayloadTooLarge", live_activity(sized_body(4097))},
  {"large_body", 413, "PayloadTooLarge", body(sized_body(4097))},
  {"large_voip_body", 413, "PayloadTooLarge",
   [](message& m) {
     typed("voip", "com.example.app.voip")(m);
     m.body = sized_body(5121);
   }},
};

INSTANTIATE_TEST_SUITE_P(all, apns_rejection_test, testing::ValuesIn(rejections),
                         [](const auto& info) { return info.param.name; });

class apns_acceptance_test : public apns_service_test,
                             public testing::WithParamInterface<rejection_case> {};

TEST_P(apns_acceptance_test, accepts) {
  auto what = valid();
  GetParam().spoil(what);
  const auto out = handle(what);
  EXPECT_EQ(out.status, 200) << out.body;
  EXPECT_EQ(totals().accepted, 1u);
}

const rejection_case acceptances[] = {
  {"plain", 200, "", [](message&) {}},
  {"no_push_type", 200, "", without("apns-push-type")},
  {"quiet_background", 200, "",
   [](message& m) { m.set("apns-push-type", "background").set("apns-priority", "5"); }},
  {"priority_1", 200, "", with("apns-priority", "1")},
  {"no_storing", 200, "", with("apns-expiration", "0")},
  {"longest_collapse_id", 200, "", with("apns-collapse-id", std::string(64, 'x'))},
  {"shortest_token", 200, "", at("/3/device/00112233")},
  {"long_upper_case_token", 200, "", at("/3/device/" + std::string(200, 'A'))},
  {"largest_body", 200, "", body(sized_body(4096))},
  {"bearer_in_capitals", 200, "",
   [](message& m) {
     const auto value = m.fields.find("authorization")->second;
     m.set("authorization", "Bearer" + value.substr(6));
   }},
  {"largest_voip_body", 200, "",
   [](message& m) {
     typed("voip", "com.example.app.voip")(m);
     m.body = sized_body(5120);
   }},
  {"liveactivity", 200, "", live_activity(update_body)},
  {"liveactivity_priority_5", 200, "",
   [](message& m) {
     live_activity(update_body)(m);
     m.set("apns-priority", "5");
   }},
  {"complication", 200, "", typed("complication", "com.example.app.complication")},
  {"fileprovider", 200, "", typed("fileprovider", "com.example.app.pushkit.fileprovider")},
  {"location", 200, "", typed("location", "com.example.app.location-query")},
  {"pushtotalk", 200, "", typed("pushtotalk", "com.example.app.voip-ptt")},
  {"widgets", 200, "", typed("widgets", "com.example.app.push-type.widgets")},
  {"controls", 200, "", typed("controls", "com.example.app.push-type.controls")},
};

INSTANTIATE_TEST_SUITE_P(all, apns_acceptance_test, testing::ValuesIn(acceptances),
                         [](const auto& info) { return info.param.name; });

TEST_F(apns_service_test, an_id_may_be_in_upper_case_and_comes_back_so) {
  const std::string id = "ABCDEF00-0000-8000-8000-00000000000A";
  const auto out = handle(valid().set("apns-id", id));
  EXPECT_EQ(out.status, 200);
  EXPECT_EQ(out.apns_id, id);
  EXPECT_EQ(totals().unique_apns_ids, 1u);
}

TEST_F(apns_service_test, counts_distinct_targets_and_ids_whatever_the_answer) {
  handle(valid(1).set("apns-id", apns_id(1)));
  handle(valid(1).set("apns-id", apns_id(2)).set("apns-priority", "7"));
  handle(valid(2).set("apns-id", apns_id(2)));
  handle(valid(3).set("apns-id", "x"));
  EXPECT_EQ(totals().requests, 4u);
  EXPECT_EQ(totals().unique_targets, 3u);
  EXPECT_EQ(totals().unique_accepted, 2u);
  EXPECT_EQ(totals().unique_apns_ids, 2u);
  EXPECT_EQ(totals().duplicates, 0u);
  handle(valid(2).set("apns-id", apns_id(2)));
  EXPECT_EQ(totals().duplicates, 1u);
}

TEST_F(apns_service_test, judges_order_per_token_and_activity) {
  const auto update = [&](int number, const std::string& activity, const std::string& seq) {
    EXPECT_EQ(handle(test::make_live_activity(token, device(number), activity, seq)).status, 200);
  };
  update(1, "match", "2");
  update(2, "match", "1");
  update(1, "race", "1");
  update(1, "match", "2");
  EXPECT_EQ(totals().out_of_order, 0u);
  update(1, "match", "1");
  EXPECT_EQ(totals().out_of_order, 1u);
}

TEST_F(apns_service_test, judges_order_of_starts_by_their_attributes) {
  const auto start = [&](const std::string& attributes, const std::string& seq) {
    auto what = valid();
    live_activity(R"({"aps":{"timestamp":1,"event":"start","alert":"x","attributes-type":"T",)"
                  R"("attributes":)" +
                  attributes + R"(,"content-state":{"seq":)" + seq + "}}}")(what);
    EXPECT_EQ(handle(what).status, 200);
  };
  start(R"({"match":1})", "2");
  start(R"({"match":2})", "1");
  EXPECT_EQ(totals().out_of_order, 0u);
  start(R"({"match":1})", "1");
  EXPECT_EQ(totals().out_of_order, 1u);
}

TEST_F(apns_service_test, what_was_not_accepted_has_no_order) {
  set_faults(R"({"mix":{"503 ServiceUnavailable":1}})");
  handle(test::make_live_activity(token, device(1), "match", "9"));
  set_faults(R"({"mix":{"no-answer":1}})");
  handle(test::make_live_activity(token, device(1), "match", "5"));
  EXPECT_EQ(totals().out_of_order, 0u);
  set_faults(R"({"mix":{"503 ServiceUnavailable":1}})");
  handle(test::make_live_activity(token, device(1), "match", "4"));
  EXPECT_EQ(totals().out_of_order, 0u);
  set_faults(R"({"mix":{}})");
  handle(test::make_live_activity(token, device(1), "match", "4"));
  EXPECT_EQ(totals().out_of_order, 1u);
}

TEST_F(apns_service_test, judges_timestamps_per_token_and_activity) {
  const auto update = [&](const std::string& activity, const std::string& timestamp) {
    auto what = test::make_live_activity(token, device(1), activity, "1");
    what.body = R"({"aps":{"timestamp":)" + timestamp + R"(,"event":"end"}})";
    EXPECT_EQ(handle(what).status, 200);
  };
  update("match", "1700000002");
  update("match", "1700000002");
  update("race", "1700000001");
  EXPECT_EQ(totals().timestamp_decreased, 0u);
  update("match", "1700000001");
  EXPECT_EQ(totals().timestamp_decreased, 1u);
  EXPECT_EQ(totals().out_of_order, 0u);
}

TEST_F(apns_service_test, does_not_judge_order_of_other_push_types) {
  for (const std::string seq : {"2", "1"}) {
    auto what = test::make_live_activity(token, device(1), "match", seq);
    what.set("apns-push-type", "alert").set("apns-topic", "com.example.app");
    EXPECT_EQ(handle(what).status, 200);
  }
  EXPECT_EQ(totals().out_of_order, 0u);
}

TEST_F(apns_service_test, dead_tokens_are_those_of_the_hash) {
  set_faults(R"({"mix":{"410 Unregistered":0.5},"unregistered_timestamp_ms":1700000000123})");
  int dead = 0;
  for (int i = 0; i < 100; ++i) {
    const auto out = handle(valid(i));
    if (text_fraction(device(i)) < 0.5) {
      ++dead;
      EXPECT_EQ(out.status, 410);
      EXPECT_EQ(out.body, R"({"reason":"Unregistered","timestamp":1700000000123})");
      EXPECT_EQ(out.retry_after_s, 0);
    } else {
      EXPECT_EQ(out.status, 200);
    }
  }
  EXPECT_GT(dead, 20);
  EXPECT_EQ(totals().by_reason.at("Unregistered"), static_cast<std::uint64_t>(dead));
  EXPECT_EQ(totals().accepted, static_cast<std::uint64_t>(100 - dead));
}

TEST_F(apns_service_test, the_timestamp_of_a_410_is_now_by_default) {
  set_faults(R"({"mix":{"410 Unregistered":1}})");
  const auto before = wall_time_ms();
  const auto out = handle(valid());
  const auto timestamp = boost::json::parse(out.body).at("timestamp").as_int64();
  EXPECT_GE(timestamp, before);
  EXPECT_LE(timestamp, wall_time_ms());
}

TEST_F(apns_service_test, transient_faults_carry_retry_after) {
  set_faults(R"({"mix":{"503 ServiceUnavailable":1},"retry_after_s":2})");
  EXPECT_EQ(handle(valid()).retry_after_s, 2);
  set_faults(R"({"mix":{"429 TooManyRequests":1}})");
  EXPECT_EQ(handle(valid()).retry_after_s, 2);
  set_faults(R"({"mix":{"500 InternalServerError":1}})");
  const auto out = handle(valid());
  EXPECT_EQ(out.retry_after_s, 0);
  EXPECT_EQ(out.status, 500);
  EXPECT_EQ(totals().rejected, 3u);
}

TEST_F(apns_service_test, silent_requests_count_as_accepted) {
  set_faults(R"({"mix":{"no-answer":1}})");
  EXPECT_EQ(handle(valid().set("apns-id", apns_id(1))).what, answer::fate::silent);
  set_faults(R"({"mix":{"reset":1}})");
  EXPECT_EQ(handle(valid().set("apns-id", apns_id(1))).what, answer::fate::reset);
  EXPECT_EQ(totals().accepted, 2u);
  EXPECT_EQ(totals().duplicates, 1u);
  EXPECT_TRUE(totals().by_reason.empty());
}

TEST_F(apns_service_test, faults_never_reach_requests_that_are_wrong_by_themselves) {
  set_faults(R"({"mix":{"503 ServiceUnavailable":1}})");
  EXPECT_EQ(handle(valid().set("apns-priority", "7")).status, 400);
}

TEST_F(apns_service_test, keeps_what_a_device_accepted_last) {
  handle(valid(1).set("apns-id", apns_id(1)));
  handle(valid(1).set("apns-id", apns_id(2)).set("apns-priority", "5"));
  handle(valid(1).set("apns-priority", "7"));
  const auto found = service.devices().find(device(1));
  ASSERT_TRUE(found);
  EXPECT_EQ(found->at("token"), test::json(device(1)));
  EXPECT_EQ(found->at("requests"), test::json(3));
  const auto& headers = found->at("last").at("headers");
  EXPECT_EQ(headers.at("apns-priority"), test::json("5"));
  EXPECT_EQ(headers.at("apns-id"), test::json(apns_id(2)));
  EXPECT_EQ(headers.at(":path"), test::json("/3/device/" + device(1)));
  EXPECT_EQ(found->at("last").at("body").at("aps").at("alert"), test::json("hello"));
}

TEST_F(apns_service_test, keeps_silent_requests_and_no_refused_ones) {
  handle(valid(1).set("apns-priority", "7"));
  EXPECT_TRUE(service.devices().find(device(1))->at("last").is_null());
  set_faults(R"({"mix":{"no-answer":1}})");
  handle(valid(1));
  EXPECT_TRUE(service.devices().find(device(1))->at("last").is_object());
}

} // namespace
} // namespace signalbox::sim
