#include "adapters/simulator/apns_payload.hpp"
#include "adapters/simulator/exchange.hpp"

#include <gtest/gtest.h>

namespace signalbox::sim {
namespace {

class apns_payload_test : public testing::Test {
protected:
  apns_payload read(std::string body, apns_content as = apns_content::push) {
    body.reserve(body.size() + body_padding);
    return reader.read(body, as);
  }

  apns_payload read_activity(const std::string& aps) {
    return read(R"({"aps":)" + aps + "}", apns_content::live_activity);
  }

  apns_payload_reader reader{"version"};
};

TEST_F(apns_payload_test, wants_an_object_with_an_aps_dictionary) {
  EXPECT_EQ(read(R"({"aps":{}})").problem, "");
  EXPECT_EQ(read(R"({"k":[1,2],"aps":{"alert":"x"}})").problem, "");
  for (const std::string bad : {"{", "[]", "x", R"("aps")", "{}", R"({"aps":1})", R"({"aps":{}} x)",
                                R"({"aps":{},"k":})", R"({"k":{"aps":{}}})"})
    EXPECT_NE(read(bad).problem, "") << bad;
}

std::string update(const std::string& state) {
  return R"({"timestamp":1700000000,"event":"update","content-state":)" + state + "}";
}

TEST_F(apns_payload_test, finds_the_order_member) {
  EXPECT_EQ(read_activity(update(R"({"version":12})")).order, 12.0);
  EXPECT_EQ(read_activity(update(R"({"version":1.5})")).order, 1.5);
  EXPECT_FALSE(read_activity(update(R"({"version":"12"})")).order);
  EXPECT_FALSE(read_activity(update(R"({"seq":12})")).order);
  EXPECT_FALSE(read(R"({"aps":{"content-state":{"version":12}}})").order);
}

TEST_F(apns_payload_test, tells_bodies_of_the_same_length_apart) {
  EXPECT_EQ(read_activity(update(R"({"version":1})")).order, 1.0);
  EXPECT_EQ(read_activity(update(R"({"version":2})")).order, 2.0);
  EXPECT_EQ(read_activity(update(R"({"version":2})")).order, 2.0);
  EXPECT_NE(read_activity(update(R"({"version":x})")).problem, "");
  EXPECT_EQ(read_activity(update(R"({"version":1})")).order, 1.0);
}

TEST_F(apns_payload_test, reads_one_body_anew_as_something_else) {
  const auto body = R"({"aps":{}})";
  EXPECT_EQ(read(body).problem, "");
  EXPECT_NE(read(body, apns_content::live_activity).problem, "");
}

TEST_F(apns_payload_test, takes_live_activities_as_apple_documents_them) {
  for (const std::string good : {
         R"({"timestamp":1,"event":"update","content-state":{}})",
         R"({"timestamp":1,"event":"update","content-state":{},"alert":{"title":"x"},
             "stale-date":2,"relevance-score":0.5})",
         R"({"timestamp":1,"event":"end"})",
         R"({"timestamp":1,"event":"end","content-state":{"a":1},"dismissal-date":0})",
         R"({"timestamp":1,"event":"start","content-state":{},"attributes-type":"T",
             "attributes":{},"alert":{"title":"x"}})",
         R"({"timestamp":1,"event":"start","content-state":{},"attributes-type":"T",
             "attributes":{"a":1},"alert":"x","input-push-token":1})",
         R"({"timestamp":1,"event":"start","content-state":{},"attributes-type":"T",
             "attributes":{"a":1},"alert":"x","input-push-channel":"dHN0"})",
       })
    EXPECT_EQ(read_activity(good).problem, "") << good;
  EXPECT_EQ(read_activity(R"({"timestamp":7,"event":"end"})").timestamp_s, 7);
}

TEST_F(apns_payload_test, names_what_a_live_activity_lacks) {
  const auto names = [this](const std::string& member, const std::string& aps) {
    EXPECT_NE(read_activity(aps).problem.find(member), std::string_view::npos)
      << aps << ": " << read_activity(aps).problem;
  };
  names("timestamp", R"({"event":"end"})");
  names("timestamp", R"({"timestamp":"1","event":"end"})");
  names("timestamp", R"({"timestamp":1.5,"event":"end"})");
  names("timestamp", R"({"timestamp":0,"event":"end"})");
  names("timestamp", R"({"timestamp":1700000000000,"event":"end"})");
  names("event", R"({"timestamp":1})");
  names("event", R"({"timestamp":1,"event":"stop"})");
  names("content-state", R"({"timestamp":1,"event":"update"})");
  names("content-state", R"({"timestamp":1,"event":"start"})");
  names("content-state", R"({"timestamp":1,"event":"end","content-state":1})");
  names("stale-date", R"({"timestamp":1,"event":"end","stale-date":"x"})");
  names("dismissal-date", R"({"timestamp":1,"event":"end","dismissal-date":1700000000000})");
  names("relevance-score", R"({"timestamp":1,"event":"end","relevance-score":"x"})");
  names("only a start", R"({"timestamp":1,"event":"end","input-push-token":1})");
  const auto start = [](const std::string& more) {
    return R"({"timestamp":1,"event":"start","content-state":{})" + more + "}";
  };
  const std::string type = R"(,"attributes-type":"T")";
  const std::string attributes = R"(,"attributes":{})";
  const std::string alert = R"(,"alert":{"title":"x"})";
  names("attributes-type", start(attributes + alert));
  names("attributes-type", start(R"(,"attributes-type":"")" + attributes + alert));
  names("aps.attributes is", start(type + alert));
  names("alert", start(type + attributes));
  names("input-push-token", start(type + attributes + alert + R"(,"input-push-token":2)"));
  names("input-push-channel", start(type + attributes + alert + R"(,"input-push-channel":1)"));
  names("only one",
        start(type + attributes + alert + R"(,"input-push-token":1,"input-push-channel":"dHN0")"));
}

TEST_F(apns_payload_test, a_broadcast_starts_nothing) {
  const auto start = R"({"aps":{"timestamp":1,"event":"start","content-state":{},
    "attributes-type":"T","attributes":{},"alert":"x"}})";
  EXPECT_EQ(read(start, apns_content::live_activity).problem, "");
  EXPECT_NE(read(start, apns_content::broadcast).problem, "");
  EXPECT_EQ(read(R"({"aps":{"timestamp":1,"event":"end"}})", apns_content::broadcast).problem, "");
}

TEST_F(apns_payload_test, tells_starts_apart_by_their_attributes) {
  const auto start = [this](const std::string& type, const std::string& attributes) {
    return read_activity(R"({"timestamp":1,"event":"start","content-state":{},"alert":"x",)"
                         R"("attributes-type":")" +
                         type + R"(","attributes":)" + attributes + "}")
      .attributes;
  };
  EXPECT_EQ(start("T", R"({"a":1})"), start("T", R"({ "a" : 1 })"));
  EXPECT_NE(start("T", R"({"a":1})"), start("T", R"({"a":2})"));
  EXPECT_NE(start("T", R"({"a":1})"), start("U", R"({"a":1})"));
}

} // namespace
} // namespace signalbox::sim
