#include "adapters/simulator/fault_plan.hpp"
#include "adapters/simulator/text_hash.hpp"

#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>
#include <gtest/gtest.h>

#include <string>

namespace signalbox::sim {
namespace {

class fault_plan_test : public testing::Test {
protected:
  std::optional<fault_error> apply(const std::string& members) {
    return plan.apply(boost::json::parse(members).get_object());
  }

  fault_plan plan{42, {"410 Unregistered", "400 BadDeviceToken"}};
};

TEST_F(fault_plan_test, nothing_happens_by_default) {
  EXPECT_EQ(plan.permanent_fault("abc"), nullptr);
  EXPECT_EQ(plan.draw_transient(), nullptr);
  EXPECT_EQ(plan.draw_latency().count(), 0);
}

TEST_F(fault_plan_test, given_members_replace_and_absent_ones_stay) {
  ASSERT_FALSE(apply(R"({"mix":{"503 ServiceUnavailable":0.5},"retry_after_s":2,
    "latency_ms":[20,40],"stall":true,"goaway_every":5,"refuse_every":6,"max_streams":7,
    "warmup":true,"unique_id":true,"unregistered_timestamp_ms":1700000000000})"));
  ASSERT_FALSE(apply(R"({"stall":false,"mix":{"500 InternalServerError":0.25}})"));
  const auto& now = plan.settings();
  ASSERT_EQ(now.transient.size(), 1u);
  EXPECT_EQ(now.transient[0].status, 500);
  EXPECT_EQ(now.transient[0].reason, "InternalServerError");
  EXPECT_EQ(now.retry_after_s, 2);
  EXPECT_EQ(now.latency_min.count(), 20);
  EXPECT_EQ(now.latency_max.count(), 40);
  EXPECT_FALSE(now.stall);
  EXPECT_EQ(now.goaway_every, 5u);
  EXPECT_EQ(now.refuse_every, 6u);
  EXPECT_EQ(now.max_streams, 7u);
  EXPECT_TRUE(now.warmup);
  EXPECT_TRUE(now.unique_id);
  EXPECT_EQ(now.unregistered_timestamp_ms, 1700000000000);
  ASSERT_FALSE(apply(R"({"unregistered_timestamp_ms":null})"));
  EXPECT_FALSE(plan.settings().unregistered_timestamp_ms);
}

TEST_F(fault_plan_test, a_token_always_gets_the_verdict_of_its_hash) {
  ASSERT_FALSE(apply(R"({"mix":{"400 BadDeviceToken":0.1,"410 Unregistered":0.3}})"));
  int seen[3] = {};
  for (int i = 0; i < 1000; ++i) {
    const auto token = "token-" + std::to_string(i);
    const auto at = text_fraction(token);
    const auto* verdict = plan.permanent_fault(token);
    const std::string expected = at < 0.3 ? "Unregistered" : at < 0.4 ? "BadDeviceToken" : "";
    ASSERT_EQ(verdict == nullptr ? "" : verdict->reason, expected);
    ASSERT_EQ(plan.permanent_fault(token), verdict);
    ++seen[at < 0.3 ? 0 : at < 0.4 ? 1 : 2];
  }
  EXPECT_GT(seen[0], 200);
  EXPECT_GT(seen[1], 50);
  EXPECT_GT(seen[2], 400);
}

TEST_F(fault_plan_test, transient_faults_have_their_shares_and_follow_the_seed) {
  const std::string mix = R"({"mix":{"503 ServiceUnavailable":0.2,"no-answer":0.1,"reset":0.05}})";
  fault_plan other{42, {}};
  fault_plan different{43, {}};
  for (auto* each : {&plan, &other, &different})
    ASSERT_FALSE(each->apply(boost::json::parse(mix).get_object()));
  int answers = 0;
  int silent = 0;
  int resets = 0;
  int differences = 0;
  for (int i = 0; i < 20'000; ++i) {
    const auto name = [](const fault* drawn) {
      return drawn == nullptr ? -1 : static_cast<int>(drawn->what);
    };
    const auto drawn = name(plan.draw_transient());
    ASSERT_EQ(name(other.draw_transient()), drawn);
    differences += name(different.draw_transient()) == drawn ? 0 : 1;
    answers += drawn == static_cast<int>(fault::kind::answer) ? 1 : 0;
    silent += drawn == static_cast<int>(fault::kind::no_answer) ? 1 : 0;
    resets += drawn == static_cast<int>(fault::kind::reset) ? 1 : 0;
  }
  EXPECT_NEAR(answers, 4000, 400);
  EXPECT_NEAR(silent, 2000, 300);
  EXPECT_NEAR(resets, 1000, 200);
  EXPECT_GT(differences, 1000);
}

TEST_F(fault_plan_test, latencies_stay_within_their_range) {
  ASSERT_FALSE(apply(R"({"latency_ms":[20,22]})"));
  bool seen[3] = {};
  for (int i = 0; i < 200; ++i) {
    const auto latency = plan.draw_latency().count();
    ASSERT_GE(latency, 20);
    ASSERT_LE(latency, 22);
    seen[latency - 20] = true;
  }
  EXPECT_TRUE(seen[0] && seen[1] && seen[2]);
}

struct bad_input {
  const char* members;
  const char* member;
};

class fault_plan_error_test : public fault_plan_test,
                              public testing::WithParamInterface<bad_input> {};

TEST_P(fault_plan_error_test, names_the_member_and_changes_nothing) {
  ASSERT_FALSE(apply(R"({"max_streams":7})"));
  const auto error = apply(GetParam().members);
  ASSERT_TRUE(error) << GetParam().members;
  EXPECT_EQ(error->member, GetParam().member);
  EXPECT_FALSE(error->detail.empty());
  EXPECT_EQ(plan.settings().max_streams, 7u);
}

INSTANTIATE_TEST_SUITE_P(
  all, fault_plan_error_test,
  testing::Values(bad_input{R"({"max_streams":8,"speed":1})", "speed"},
                  bad_input{R"({"max_streams":8,"stall":1})", "stall"},
                  bad_input{R"({"warmup":"yes"})", "warmup"},
                  bad_input{R"({"max_streams":-1})", "max_streams"},
                  bad_input{R"({"goaway_every":-1})", "goaway_every"},
                  bad_input{R"({"refuse_every":1.5})", "refuse_every"},
                  bad_input{R"({"retry_after_s":"2"})", "retry_after_s"},
                  bad_input{R"({"latency_ms":20})", "latency_ms"},
                  bad_input{R"({"latency_ms":[40,20]})", "latency_ms"},
                  bad_input{R"({"latency_ms":[1,2,3]})", "latency_ms"},
                  bad_input{R"({"unregistered_timestamp_ms":"now"})", "unregistered_timestamp_ms"},
                  bad_input{R"({"mix":[]})", "mix"},
                  bad_input{R"({"mix":{"503 X":0.6,"500 Y":0.6}})", "mix"},
                  bad_input{R"({"mix":{"410 Unregistered":0.6,"400 BadDeviceToken":0.6}})", "mix"},
                  bad_input{R"({"mix":{"503 X":1.1}})", "mix/503 X"},
                  bad_input{R"({"mix":{"503 X":"all"}})", "mix/503 X"},
                  bad_input{R"({"mix":{"503":0.1}})", "mix/503"},
                  bad_input{R"({"mix":{"503 ":0.1}})", "mix/503 "},
                  bad_input{R"({"mix":{"200 Fine":0.1}})", "mix/200 Fine"},
                  bad_input{R"({"mix":{"503 \"quoted\"":0.1}})", "mix/503 \"quoted\""}));

} // namespace
} // namespace signalbox::sim
