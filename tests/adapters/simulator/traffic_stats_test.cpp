#include "adapters/simulator/traffic_stats.hpp"

#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>
#include <gtest/gtest.h>

namespace signalbox::sim {
namespace {

TEST(traffic_stats_test, duplicates_are_accepts_beyond_the_first_per_id) {
  traffic_stats stats;
  stats.count_accepted(1);
  stats.count_accepted(1);
  stats.count_accepted(2);
  stats.count_accepted(1);
  stats.count_accepted(std::nullopt);
  stats.count_accepted(std::nullopt);
  EXPECT_EQ(stats.totals().accepted, 6u);
  EXPECT_EQ(stats.totals().duplicates, 2u);
}

TEST(traffic_stats_test, targets_are_accepted_once_whatever_came_before) {
  traffic_stats stats;
  stats.count_target(1, false);
  stats.count_target(1, true);
  stats.count_target(1, true);
  stats.count_target(2, true);
  stats.count_target(3, false);
  stats.count_target(2, false);
  EXPECT_EQ(stats.totals().unique_targets, 3u);
  EXPECT_EQ(stats.totals().unique_accepted, 2u);
}

TEST(traffic_stats_test, an_id_seen_in_a_rejected_request_is_no_duplicate) {
  traffic_stats stats;
  stats.count_message_id(1);
  stats.count_rejected("ServiceUnavailable");
  stats.count_message_id(1);
  stats.count_accepted(1);
  EXPECT_EQ(stats.totals().duplicates, 0u);
  EXPECT_EQ(stats.totals().unique_apns_ids, 1u);
}

TEST(traffic_stats_test, only_older_than_the_newest_is_out_of_order) {
  traffic_stats stats;
  for (const double value : {1.0, 3.0, 2.0, 3.0, 1.0, 4.0})
    stats.count_order(7, value);
  stats.count_order(8, 1.0);
  EXPECT_EQ(stats.totals().out_of_order, 2u);
}

TEST(traffic_stats_test, timestamps_may_stay_but_not_fall) {
  traffic_stats stats;
  for (const std::int64_t seconds : {5, 5, 4, 5, 6})
    stats.count_timestamp(7, seconds);
  stats.count_timestamp(8, 1);
  EXPECT_EQ(stats.totals().timestamp_decreased, 1u);
  EXPECT_EQ(stats.totals().out_of_order, 0u);
}

TEST(traffic_stats_test, writes_every_counter) {
  traffic_stats stats;
  stats.count_request();
  stats.count_target(4, false);
  stats.count_rejected("BadTopic");
  stats.count_connection();
  stats.count_goaway();
  stats.count_refused_stream();
  stats.count_unanswered();
  EXPECT_EQ(
    serialize(to_json(stats.totals())),
    R"({"requests":1,"accepted":0,"rejected":1,"by_reason":{"BadTopic":1},)"
    R"("unique_targets":1,"unique_accepted":0,"unique_apns_ids":0,"duplicates":0,"out_of_order":0,)"
    R"("timestamp_decreased":0,"unanswered":1,"connections":1,"goaways":1,"refused_streams":1})");
}

TEST(traffic_stats_test, sums_and_clears) {
  traffic_stats stats;
  stats.count_request();
  stats.count_rejected("BadTopic");
  auto sum = stats.totals();
  sum += stats.totals();
  EXPECT_EQ(sum.requests, 2u);
  EXPECT_EQ(sum.by_reason.at("BadTopic"), 2u);
  stats.clear();
  EXPECT_EQ(stats.totals().requests, 0u);
  EXPECT_TRUE(stats.totals().by_reason.empty());
}

} // namespace
} // namespace signalbox::sim
