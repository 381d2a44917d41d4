#include "adapters/telemetry/metrics.hpp"
#include "tests/support/fake_clock.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sstream>
#include <string>
#include <vector>

namespace signalbox {
namespace {

using testing::ContainsRegex;
using testing::HasSubstr;
using testing::Not;

/// Of a node of which nothing else is to be told.
std::string render(const lane_board& lanes, breaker_board& breakers) {
  const fake_clock clock;
  return render_metrics(stage_directory{}, lanes, breakers, connection_board{breakers, clock},
                        subscription_counters{});
}

std::string render(const lane_board& lanes) {
  breaker_board breakers;
  return render(lanes, breakers);
}

std::string render(const stage_directory& stages) {
  breaker_board breakers;
  const fake_clock clock;
  return render_metrics(stages, lane_board{}, breakers, connection_board{breakers, clock},
                        subscription_counters{});
}

TEST(metrics, show_each_mailbox_with_its_place) {
  stage_directory stages;
  const auto box = stages.enter({"push", "sender", 1}, 5);
  box->try_enter();
  box->try_enter();
  box->leave();
  const auto text = render(stages);
  const std::string labels = R"({lane="push",stage="sender",instance="1"})";
  const std::string labels_by_name = R"({instance="1",lane="push",stage="sender"})";
  const auto shows = [&](const std::string& sample) {
    return testing::AnyOf(
      HasSubstr(sample.substr(0, sample.find(' ')) + labels + sample.substr(sample.find(' '))),
      HasSubstr(sample.substr(0, sample.find(' ')) + labels_by_name +
                sample.substr(sample.find(' '))));
  };
  EXPECT_THAT(text, shows("signalbox_mailbox_depth 1"));
  EXPECT_THAT(text, shows("signalbox_mailbox_capacity 5"));
  EXPECT_THAT(text, shows("signalbox_mailbox_high_water 2"));
  EXPECT_THAT(text, shows("signalbox_mailbox_processed_total 1"));
  EXPECT_THAT(text, HasSubstr("signalbox_build_info"));
}

TEST(metrics, count_restarts_and_refusals) {
  stage_directory stages;
  stages.enter({"push", "master", 0}, 1);
  const auto box = stages.enter({"push", "master", 0}, 1);
  EXPECT_TRUE(box->try_enter());
  EXPECT_FALSE(box->try_enter());
  const auto text = render(stages);
  EXPECT_THAT(text, ContainsRegex("signalbox_actor_restarts_total\\{[^}]*\\} 1"));
  EXPECT_THAT(text, ContainsRegex("signalbox_mailbox_refused_total\\{[^}]*\\} 1"));
}

/// Matches a sample whatever the order of its labels.
auto has(const std::string& name, std::vector<std::string> labels, const std::string& value) {
  return testing::Truly([=](const std::string& text) {
    std::istringstream lines{text};
    for (std::string line; std::getline(lines, line);) {
      auto fits =
        line.starts_with(name + (labels.empty() ? " " : "{")) && line.ends_with(" " + value);
      for (const auto& label : labels)
        fits = fits && line.find(label) != line.npos;
      if (fits)
        return true;
    }
    return false;
  });
}

TEST(metrics, count_what_became_of_targets) {
  lane_board lanes;
  const auto counters = lanes.counters("push");
  counters->outcomes[static_cast<std::size_t>(outcome_status::accepted)] = 4;
  counters->outcomes[static_cast<std::size_t>(outcome_status::skipped)] = 2;
  counters->outcomes[static_cast<std::size_t>(outcome_status::retry)] = 3;
  counters->dead_letters = 5;
  counters->refunded = 6;
  const auto text = render(lanes);
  const auto lane = R"(lane="push")";
  EXPECT_THAT(text, has("signalbox_outcomes_total", {lane, R"(status="accepted")"}, "4"));
  EXPECT_THAT(text, has("signalbox_outcomes_total", {lane, R"(status="skipped")"}, "2"));
  EXPECT_THAT(text, has("signalbox_outcomes_total", {lane, R"(status="unknown")"}, "0"));
  EXPECT_THAT(text, Not(HasSubstr(R"(status="retry")")));
  EXPECT_THAT(text, has("signalbox_retries_scheduled_total", {lane}, "3"));
  EXPECT_THAT(text, has("signalbox_dead_lettered_total", {lane}, "5"));
  EXPECT_THAT(text, has("signalbox_attempts_refunded_total", {lane}, "6"));
}

TEST(metrics, show_what_waits) {
  lane_board lanes;
  backlog push;
  push.ready_chunks = 1;
  push.due_retries = 2;
  push.waiting_retries = 3;
  push.scheduled_jobs = 4;
  push.dead_letters = 5;
  push.pauses = 6;
  push.store_bytes = 4'096;
  push.store_log_bytes = 8'192;
  push.oldest_due_age = std::chrono::milliseconds{1'500};
  backlog bulk;
  bulk.dead_letters = 7;
  lanes.put("push", push, timestamp{std::chrono::seconds{2}});
  lanes.put("bulk", bulk, timestamp{std::chrono::seconds{1}});
  const auto text = render(lanes);
  const auto lane = R"(lane="push")";
  EXPECT_THAT(text, has("signalbox_backlog", {lane, R"(kind="ready_chunks")"}, "1"));
  EXPECT_THAT(text, has("signalbox_backlog", {lane, R"(kind="due_retries")"}, "2"));
  EXPECT_THAT(text, has("signalbox_backlog", {lane, R"(kind="waiting_retries")"}, "3"));
  EXPECT_THAT(text, has("signalbox_backlog", {lane, R"(kind="scheduled_jobs")"}, "4"));
  EXPECT_THAT(text, has("signalbox_oldest_due_age_seconds", {lane}, "1.5"));
  EXPECT_THAT(text, has("signalbox_oldest_due_age_seconds", {R"(lane="bulk")"}, "0"));
  EXPECT_THAT(text, has("signalbox_dead_letters", {}, "5")) << "the newest measurement counts";
  EXPECT_THAT(text, has("signalbox_pauses", {}, "6"));
  EXPECT_THAT(text, has("signalbox_store_bytes", {}, "4096"));
  EXPECT_THAT(text, has("signalbox_store_log_bytes", {}, "8192"));
}

TEST(metrics, leave_out_what_could_not_be_measured) {
  lane_board lanes;
  lanes.put("push", backlog{}, timestamp{});
  lanes.put("push", std::nullopt, timestamp{});
  const auto text = render(lanes);
  for (const auto* name :
       {"signalbox_backlog{", "signalbox_oldest_due_age_seconds{", "\nsignalbox_dead_letters ",
        "\nsignalbox_pauses ", "\nsignalbox_store_log_bytes "})
    EXPECT_THAT(text, Not(HasSubstr(name)));
}

TEST(metrics, show_breakers_while_they_are_not_closed) {
  breaker_board breakers;
  breaker_view view;
  view.place = {
    "push", {default_app, platform::apns, environment::sandbox}, breaker_kind::configuration};
  view.state = breaker_state::open;
  breakers.put(view);
  EXPECT_THAT(render(lane_board{}, breakers),
              has("signalbox_breaker_open",
                  {R"(lane="push")", R"(app="default")", R"(provider="apns")",
                   R"(environment="sandbox")", R"(kind="configuration")"},
                  "1"));
  view.state = breaker_state::closed;
  breakers.put(view);
  EXPECT_THAT(render(lane_board{}, breakers), Not(HasSubstr("signalbox_breaker_open{")));
}

TEST(metrics, count_connections_that_failed_and_name_the_host_that_cannot_be_connected_to) {
  breaker_board breakers;
  const fake_clock clock;
  connection_board connections{breakers, clock};
  const connection_place at{{default_app, platform::fcm, environment::production},
                            "oauth2.googleapis.com:443"};
  connections.failed(at, connection_fault::proxy, "407");
  connections.failed(at, connection_fault::proxy, "407");
  const auto text =
    render_metrics(stage_directory{}, lane_board{}, breakers, connections, subscription_counters{});
  EXPECT_THAT(text, has("signalbox_connection_failures_total",
                        {R"(provider="fcm")", R"(environment="production")",
                         R"(server="oauth2.googleapis.com:443")", R"(reason="proxy")"},
                        "2"));
  EXPECT_THAT(text, has("signalbox_breaker_open",
                        {R"(provider="fcm")", R"(kind="connection")",
                         R"(server="oauth2.googleapis.com:443")"},
                        "1"));
}

} // namespace
} // namespace signalbox
