#include "adapters/telemetry/metrics.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace signalbox {
namespace {

using testing::HasSubstr;

TEST(metrics, show_each_mailbox_with_its_place) {
  stage_directory stages;
  const auto box = stages.enter({"push", "sender", 1}, 5);
  box->try_enter();
  box->try_enter();
  box->leave();
  const auto text = render_metrics(stages);
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
  const auto text = render_metrics(stages);
  EXPECT_THAT(text, testing::ContainsRegex("signalbox_actor_restarts_total\\{[^}]*\\} 1"));
  EXPECT_THAT(text, testing::ContainsRegex("signalbox_mailbox_refused_total\\{[^}]*\\} 1"));
}

} // namespace
} // namespace signalbox
