#include "adapters/simulator/apns_service.hpp"
#include "tests/adapters/simulator/simulator_fixture.hpp"

#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>
#include <gtest/gtest.h>

#include <set>

namespace signalbox::sim {
namespace {

using test::message;

class broadcast_channels_test : public testing::Test {
protected:
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

  message manage(const std::string& method, const std::string& noun = "channels") {
    message made;
    made.method = method;
    made.path = "/1/apps/com.example.app/" + noun;
    made.set("authorization", "bearer " + token);
    made.body.clear();
    return made;
  }
  message creation(const std::string& body) {
    auto made = manage("POST");
    made.body = body;
    return made;
  }
  std::string create(int policy) {
    const auto out = handle(creation(R"({"message-storage-policy":)" + std::to_string(policy) +
                                     R"(,"push-type":"LiveActivity"})"));
    EXPECT_EQ(out.status, 201) << out.body;
    return out.channel_id;
  }

  message broadcast(const std::string& channel, const std::string& seq = "1") {
    message made;
    made.path = "/4/broadcasts/apps/com.example.app";
    made.set("authorization", "bearer " + token)
      .set("apns-channel-id", channel)
      .set("apns-push-type", "liveactivity")
      .set("apns-expiration", "0");
    made.body =
      R"({"aps":{"timestamp":1700000000,"event":"update","content-state":{"seq":)" + seq + "}}}";
    return made;
  }

  void expect_refused(const message& what, int status, const std::string& reason) {
    const auto out = handle(what);
    EXPECT_EQ(out.status, status) << out.body;
    ASSERT_FALSE(out.body.empty()) << reason;
    EXPECT_EQ(boost::json::parse(out.body).at("reason"), test::json(reason));
  }

  traffic_totals totals() { return service.stats().totals(); }

  const std::string token = test::make_provider_token(test::shared_tls());
  apns_service service{1, "com.example.app", "seq", test::shared_tls().apns_public_key};
};

TEST_F(broadcast_channels_test, are_created_read_listed_and_deleted) {
  const auto none = create(0);
  const auto latest = create(1);
  EXPECT_EQ(none.size(), 24u);
  EXPECT_NE(none, latest);
  const auto read = handle(manage("GET").set("apns-channel-id", latest));
  EXPECT_EQ(read.status, 200);
  EXPECT_EQ(read.body, R"({"message-storage-policy":1,"push-type":"LiveActivity"})");
  EXPECT_TRUE(read.is_request_id);
  const auto listed = boost::json::parse(handle(manage("GET", "all-channels")).body);
  std::set<std::string> ids;
  for (const auto& id : listed.at("channels").as_array())
    ids.emplace(id.as_string());
  EXPECT_EQ(ids, (std::set{none, latest}));
  EXPECT_EQ(handle(manage("DELETE").set("apns-channel-id", none)).status, 204);
  expect_refused(manage("DELETE").set("apns-channel-id", none), 400, "ChannelNotRegistered");
  EXPECT_EQ(handle(manage("GET", "all-channels")).body, R"({"channels":[")" + latest + "\"]}");
  EXPECT_EQ(totals().requests, 0u);
  EXPECT_EQ(totals().channel_requests, 7u);
}

TEST_F(broadcast_channels_test, management_requests_are_refused_with_apples_reasons) {
  const std::string good = R"({"message-storage-policy":1,"push-type":"LiveActivity"})";
  expect_refused(manage("GET"), 400, "MissingChannelId");
  expect_refused(manage("DELETE").set("apns-channel-id", "x"), 400, "BadChannelId");
  expect_refused(manage("DELETE").set("apns-channel-id", std::string(68, 'A')), 400,
                 "BadChannelId");
  expect_refused(manage("DELETE").set("apns-channel-id", "dGVzdA=="), 400, "ChannelNotRegistered");
  expect_refused(manage("PUT"), 405, "MethodNotAllowed");
  expect_refused(manage("POST", "all-channels"), 405, "MethodNotAllowed");
  expect_refused(creation(good).set("apns-request-id", "x"), 400, "BadMessageId");
  expect_refused(creation("x"), 400, "BadPayload");
  expect_refused(creation(R"({"message-storage-policy":1})"), 400, "MissingPushType");
  expect_refused(creation(R"({"message-storage-policy":1,"push-type":"Alert"})"), 400,
                 "InvalidPushType");
  expect_refused(creation(R"({"push-type":"LiveActivity"})"), 400, "BadPayload");
  expect_refused(creation(R"({"message-storage-policy":2,"push-type":"LiveActivity"})"), 400,
                 "BadPayload");
  auto other = creation(good);
  other.path = "/1/apps/com.example.other/channels";
  expect_refused(other, 400, "TopicDisallowed");
  auto anonymous = creation(good);
  anonymous.fields.clear();
  expect_refused(anonymous, 403, "MissingProviderToken");
  EXPECT_EQ(totals().rejected, 0u);
  expect_refused(manage("POST", "channel"), 404, "BadPath");
}

TEST_F(broadcast_channels_test, ten_thousand_are_the_limit) {
  std::string last;
  for (std::size_t i = 0; i < broadcast_channels::limit; ++i)
    last = create(0);
  const auto one_more = creation(R"({"message-storage-policy":0,"push-type":"LiveActivity"})");
  expect_refused(one_more, 400, "CannotCreateChannelConfig");
  EXPECT_EQ(handle(manage("DELETE").set("apns-channel-id", last)).status, 204);
  EXPECT_EQ(handle(one_more).status, 201);
}

TEST_F(broadcast_channels_test, management_follows_the_transient_faults) {
  const auto set_faults = [this](const std::string& members) {
    ASSERT_FALSE(service.faults().apply(boost::json::parse(members).get_object()));
  };
  const auto creating = creation(R"({"message-storage-policy":0,"push-type":"LiveActivity"})");
  set_faults(R"({"mix":{"400 FeatureNotEnabled":1}})");
  expect_refused(creating, 400, "FeatureNotEnabled");
  set_faults(R"({"mix":{"503 ServiceUnavailable":1},"retry_after_s":3})");
  EXPECT_EQ(handle(creating).retry_after_s, 3);
  set_faults(R"({"mix":{"no-answer":1}})");
  EXPECT_EQ(handle(creating).what, answer::fate::silent);
}

TEST_F(broadcast_channels_test, a_broadcast_counts_as_a_request_for_its_channel) {
  const auto channel = create(0);
  const auto out = handle(broadcast(channel).set("apns-request-id", test::apns_id(1)));
  EXPECT_EQ(out.status, 200) << out.body;
  EXPECT_EQ(out.apns_id, test::apns_id(1));
  EXPECT_TRUE(out.is_request_id);
  EXPECT_EQ(handle(broadcast(channel).set("apns-request-id", test::apns_id(1))).status, 200);
  EXPECT_EQ(totals().accepted, 2u);
  EXPECT_EQ(totals().unique_targets, 1u);
  EXPECT_EQ(totals().duplicates, 1u);
  const auto kept = service.devices().find(channel);
  ASSERT_TRUE(kept);
  EXPECT_EQ(kept->at("last").at("body").at("aps").at("event"), test::json("update"));
}

TEST_F(broadcast_channels_test, order_is_judged_per_channel) {
  const auto first = create(0);
  const auto second = create(0);
  EXPECT_EQ(handle(broadcast(first, "2")).status, 200);
  EXPECT_EQ(handle(broadcast(second, "1")).status, 200);
  EXPECT_EQ(totals().out_of_order, 0u);
  EXPECT_EQ(handle(broadcast(first, "1").set("apns-collapse-id", "x")).status, 200);
  EXPECT_EQ(totals().out_of_order, 1u);
}

TEST_F(broadcast_channels_test, broadcasts_are_refused_with_apples_reasons) {
  const auto none = create(0);
  const auto latest = create(1);
  const auto body = [&](const std::string& text) {
    auto made = broadcast(none);
    made.body = text;
    return made;
  };
  const auto without = [&](const std::string& name) {
    auto made = broadcast(none);
    made.fields.erase(name);
    return made;
  };
  expect_refused(without("apns-channel-id"), 400, "MissingChannelId");
  expect_refused(broadcast("x"), 400, "BadChannelId");
  expect_refused(broadcast("dGVzdA=="), 400, "ChannelNotRegistered");
  expect_refused(without("apns-push-type"), 400, "MissingPushType");
  expect_refused(broadcast(none).set("apns-push-type", "alert"), 400, "InvalidPushType");
  expect_refused(broadcast(none).set("apns-topic", "com.example.app.push-type.liveactivity"), 400,
                 "BadTopic");
  expect_refused(broadcast(none).set("apns-priority", "7"), 400, "BadPriority");
  expect_refused(without("apns-expiration"), 400, "BadExpirationDate");
  expect_refused(broadcast(none).set("apns-expiration", "2000000000"), 400, "BadExpirationDate");
  EXPECT_EQ(handle(broadcast(latest).set("apns-expiration", "2000000000")).status, 200);
  expect_refused(without("authorization"), 403, "MissingProviderToken");
  expect_refused(body(""), 400, "PayloadEmpty");
  expect_refused(body(R"({"aps":{"timestamp":1,"event":"start","content-state":{},"alert":"x",)"
                      R"("attributes-type":"T","attributes":{}}})"),
                 400, "BadPayload");
  const auto sized = [](std::size_t size) {
    const std::string head = R"({"aps":{"timestamp":1,"event":"end"},"x":")";
    return head + std::string(size - head.size() - 2, 'x') + "\"}";
  };
  expect_refused(body(sized(5121)), 413, "PayloadTooLarge");
  EXPECT_EQ(handle(body(sized(5120))).status, 200);
  auto get = broadcast(none);
  get.method = "GET";
  expect_refused(get, 405, "MethodNotAllowed");
  auto other = broadcast(none);
  other.path = "/4/broadcasts/apps/com.example.other";
  expect_refused(other, 400, "TopicDisallowed");
}

} // namespace
} // namespace signalbox::sim
