#include "runtime/settings_rules.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace signalbox {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::IsEmpty;

std::vector<std::string> keys(const std::vector<broken_rule>& broken) {
  std::vector<std::string> result;
  for (auto& rule : broken)
    result.push_back(rule.key);
  return result;
}

node_settings with_credentials() {
  node_settings result;
  result.apns.bundle = "com.example.app";
  result.apns.key_file = "key.p8";
  result.apns.key_id = "ABC1234567";
  result.apns.team_id = "DEF1234567";
  return result;
}

TEST(settings_rules, hold_for_the_defaults) {
  EXPECT_THAT(keys(check_rules({})), IsEmpty());
}

TEST(settings_rules, want_all_credentials_or_none) {
  auto settings = with_credentials();
  EXPECT_THAT(keys(check_rules(settings)), IsEmpty());
  settings.apns.team_id.clear();
  settings.apns.key_file.clear();
  EXPECT_THAT(keys(check_rules(settings)), ElementsAre("apns.key-file", "apns.team-id"));
}

TEST(settings_rules, want_ids_as_apple_makes_them) {
  auto settings = with_credentials();
  settings.apns.key_id = "ABC";
  settings.apns.team_id = "DEF 123456";
  EXPECT_THAT(keys(check_rules(settings)), ElementsAre("apns.key-id", "apns.team-id"));
}

TEST(settings_rules, want_minima_below_maxima) {
  node_settings settings;
  settings.apns.reconnect_min = 31s;
  settings.supervisor.restart_min = 11s;
  settings.lanes[1].backoff_min = 6min;
  settings.retention.jobs = 721h;
  auto broken = check_rules(settings);
  EXPECT_THAT(keys(broken), ElementsAre("apns.reconnect-min", "lane.live-activity.backoff-min",
                                        "supervisor.restart-min", "retention.jobs"));
  EXPECT_EQ(broken[1].text, "6min is longer than lane.live-activity.backoff-max, which is 5min");
  settings = {};
  settings.apns.reconnect_min = settings.apns.reconnect_max;
  EXPECT_THAT(keys(check_rules(settings)), IsEmpty());
}

TEST(settings_rules, want_leases_that_outlast_a_request_and_its_flush) {
  node_settings settings;
  settings.lanes[0].lease = 10'020ms;
  auto broken = check_rules(settings);
  ASSERT_THAT(keys(broken), ElementsAre("lane.push.lease"));
  EXPECT_EQ(broken[0].text, "10020ms must be longer than apns.request-timeout and "
                            "lane.push.flush-interval together, which are 10020ms");
  settings.lanes[0].lease = 10'021ms;
  EXPECT_THAT(keys(check_rules(settings)), IsEmpty());
}

TEST(settings_rules, want_leases_that_outlast_fcm_where_it_is_configured) {
  node_settings settings;
  settings.fcm.request_timeout = 20s;
  EXPECT_THAT(keys(check_rules(settings)), IsEmpty());
  settings.fcm.service_account_file = "account.json";
  auto broken = check_rules(settings);
  ASSERT_THAT(keys(broken), ElementsAre("lane.push.lease", "lane.live-activity.lease"));
  EXPECT_EQ(broken[0].text, "15s must be longer than fcm.request-timeout and "
                            "lane.push.flush-interval together, which are 20020ms");
}

TEST(settings_rules, want_what_fcm_takes) {
  node_settings settings;
  settings.fcm.host = "https://fcm.googleapis.com";
  settings.fcm.proxy = "proxy:3128";
  settings.fcm.reconnect_min = 31s;
  for (auto bad : {"google_job", "gcm", "from", "job.id"}) {
    settings.fcm.job_marker = bad;
    EXPECT_THAT(keys(check_rules(settings)),
                ElementsAre("fcm.host", "fcm.proxy", "fcm.job-marker", "fcm.reconnect-min"))
      << bad;
  }
  settings = {};
  settings.fcm.job_marker = "signalbox_job";
  EXPECT_THAT(keys(check_rules(settings)), IsEmpty());
}

TEST(settings_rules, keep_the_kind_of_the_built_in_lanes) {
  node_settings settings;
  settings.lanes[0].kind = lane_settings::lane_kind::live_activity;
  EXPECT_THAT(keys(check_rules(settings)), ElementsAre("lane.push.kind"));
}

TEST(settings_rules, want_an_address_to_listen_on) {
  node_settings settings;
  for (auto good : {"127.0.0.1", "127.8.9.1", "::1", "::ffff:127.0.0.1"}) {
    settings.http.address = good;
    EXPECT_THAT(keys(check_rules(settings)), IsEmpty()) << good;
  }
  for (auto bad : {"localhost", "127.0.0.1:80", "[::1]", "256.0.0.1"}) {
    settings.http.address = bad;
    EXPECT_THAT(keys(check_rules(settings)), ElementsAre("http.address")) << bad;
  }
}

TEST(settings_rules, want_hosts_to_be_names_alone) {
  node_settings settings;
  settings.http.hosts = {"push.example.com", "Signal_box", "a-1."};
  EXPECT_THAT(keys(check_rules(settings)), IsEmpty());
  for (auto bad : {"*", "*.example.com", "http://a", "a:80", "a/b", "b@a", "[::1]"}) {
    settings.http.hosts = {"good", bad};
    EXPECT_THAT(keys(check_rules(settings)), ElementsAre("http.hosts")) << bad;
  }
}

TEST(settings_rules, want_loopback_while_there_are_no_api_keys) {
  node_settings settings;
  for (auto open : {"0.0.0.0", "::", "192.0.2.7", "2001:db8::1", "::ffff:192.0.2.7"}) {
    settings.http.address = open;
    const auto broken = check_rules(settings);
    ASSERT_THAT(keys(broken), ElementsAre("http.address")) << open;
    EXPECT_THAT(broken[0].text, testing::HasSubstr("API keys")) << open;
  }
}

TEST(settings_rules, want_a_bundle_that_can_stand_in_a_topic) {
  node_settings settings;
  settings.apns.key_file = "key.p8";
  settings.apns.key_id = settings.apns.team_id = "ABCDE12345";
  settings.apns.bundle = "com.example.my-app_2";
  EXPECT_THAT(keys(check_rules(settings)), IsEmpty());
  for (auto bad : {"com.example.app ", "com example", "com.ex\xc3\xa4mple", "com/example"}) {
    settings.apns.bundle = bad;
    EXPECT_THAT(keys(check_rules(settings)), ElementsAre("apns.bundle")) << bad;
  }
}

TEST(settings_rules, want_hosts_without_scheme) {
  node_settings settings;
  settings.apns.production_host = "https://api.push.apple.com";
  settings.apns.sandbox_host = "::1";
  EXPECT_THAT(keys(check_rules(settings)), ElementsAre("apns.production-host"));
  settings.apns.production_host = "api.push.apple.com:2197";
  EXPECT_THAT(keys(check_rules(settings)), ElementsAre("apns.production-host"));
  settings.apns.production_host = "localhost";
  settings.apns.channels_host = "localhost/channels";
  settings.apns.channels_sandbox_host = "https://localhost";
  EXPECT_THAT(keys(check_rules(settings)),
              ElementsAre("apns.channels-host", "apns.channels-sandbox-host"));
}

TEST(settings_rules, want_a_proxy_without_a_password_and_do_not_repeat_it) {
  node_settings settings;
  settings.apns.proxy = "http://proxy.example.org:3128";
  EXPECT_THAT(keys(check_rules(settings)), IsEmpty());
  for (auto bad : {"http://user:hunter2@proxy:3128", "proxy:3128", "http://proxy", "http://:80",
                   "http://proxy:80/", "http://proxy:", "http://proxy:99999"}) {
    settings.apns.proxy = bad;
    auto broken = check_rules(settings);
    ASSERT_THAT(keys(broken), ElementsAre("apns.proxy")) << bad;
    EXPECT_EQ(broken[0].text.find("hunter2"), std::string::npos);
  }
}

TEST(settings_rules, want_the_batch_limit_above_the_limit) {
  node_settings settings;
  settings.http.max_batch_body_bytes = settings.http.max_body_bytes - 1;
  EXPECT_THAT(keys(check_rules(settings)), ElementsAre("http.max-batch-body"));
}

} // namespace
} // namespace signalbox
