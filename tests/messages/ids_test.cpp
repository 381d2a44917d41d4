#include "messages/ids.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <set>
#include <thread>
#include <unordered_set>
#include <vector>

namespace signalbox {
namespace {

using namespace std::chrono_literals;

const timestamp noon{1'700'000'000'000ms};

std::uint64_t milliseconds_in(const uuid& id) {
  std::uint64_t value = 0;
  for (int i = 0; i < 6; ++i)
    value = value << 8 | id.bytes[i];
  return value;
}

RC_GTEST_PROP(uuid, text_round_trip, (const std::array<std::uint8_t, 16>& bytes)) {
  const uuid id{bytes};
  const auto text = id.to_string();
  RC_ASSERT(text.size() == 36u);
  RC_ASSERT(uuid::parse(text) == id);
}

TEST(uuid, reads_either_case_and_nothing_else) {
  const std::string text = "0190163d-8694-739b-aea5-966c26f8ad91";
  const auto id = uuid::parse(text);
  ASSERT_TRUE(id);
  EXPECT_EQ(id->to_string(), text);
  EXPECT_EQ(uuid::parse("0190163D-8694-739B-AEA5-966C26F8AD91"), id);
  EXPECT_FALSE(uuid::parse(""));
  EXPECT_FALSE(uuid::parse("0190163d8694739baea5966c26f8ad91"));
  EXPECT_FALSE(uuid::parse("0190163d-8694-739b-aea5-966c26f8ad9"));
  EXPECT_FALSE(uuid::parse("0190163d-8694-739b-aea5-966c26f8ad910"));
  EXPECT_FALSE(uuid::parse("0190163d-8694-739b-aea5-966c26f8ad9g"));
  EXPECT_FALSE(uuid::parse("0190163d-8694-739b-aea5+966c26f8ad91"));
  EXPECT_FALSE(uuid::parse("{190163d-8694-739b-aea5-966c26f8ad91"));
}

TEST(uuid_v7, carries_the_time_version_and_variant) {
  // Later than any other that this process has made.
  const auto last = static_cast<std::int64_t>(milliseconds_in(make_uuid_v7(noon)));
  const timestamp later{std::chrono::milliseconds{last} + 1h};
  const auto id = make_uuid_v7(later);
  EXPECT_EQ(milliseconds_in(id), static_cast<std::uint64_t>(later.time_since_epoch().count()));
  EXPECT_EQ(id.bytes[6] >> 4, 7);
  EXPECT_EQ(id.bytes[8] >> 6, 2);
}

TEST(uuid_v7, rises_also_when_the_clock_steps_back) {
  auto last = make_uuid_v7(noon + 10s);
  for (const auto step : {0ms, 1ms, -5'000ms, -3'600'000ms, 0ms, 20'000ms, 19'999ms}) {
    for (int i = 0; i < 1'000; ++i) {
      const auto next = make_uuid_v7(noon + 10s + step);
      ASSERT_LT(last, next) << "step " << step.count() << " ms, after " << last.to_string();
      last = next;
    }
  }
}

TEST(uuid_v7, is_unique_over_threads) {
  std::vector<std::vector<uuid>> made(4);
  {
    std::vector<std::jthread> threads;
    for (auto& each : made)
      threads.emplace_back([&each] {
        for (int i = 0; i < 5'000; ++i)
          each.push_back(make_uuid_v7(noon));
      });
  }
  std::set<uuid> all;
  for (const auto& each : made) {
    EXPECT_TRUE(std::is_sorted(each.begin(), each.end()));
    all.insert(each.begin(), each.end());
  }
  EXPECT_EQ(all.size(), 20'000u);
}

TEST(push_id, is_unique_within_a_job) {
  const push_id_source source{make_uuid_v7(noon)};
  std::unordered_set<uuid> seen;
  for (token_id token = 1; token <= 200'000; ++token)
    ASSERT_TRUE(seen.insert(source.id_for(token)).second) << "token " << token;
}

TEST(push_id, is_the_same_in_every_process) {
  const auto job = *uuid::parse("0190163d-8694-739b-aea5-966c26f8ad91");
  const auto id = push_id_source{job}.id_for(42);
  EXPECT_EQ(id.to_string(), "ca615d6f-6f9d-81b3-af84-b103b9cf6d4d");
  EXPECT_EQ(id.bytes[6] >> 4, 8);
  EXPECT_EQ(id.bytes[8] >> 6, 2);
}

RC_GTEST_PROP(push_id, depends_on_job_and_token,
              (const std::array<std::uint8_t, 16>& a, const std::array<std::uint8_t, 16>& b,
               token_id token, token_id other)) {
  RC_PRE(a != b && token != other);
  const push_id_source source{uuid{a}};
  RC_ASSERT(source.id_for(token) == push_id_source{uuid{a}}.id_for(token));
  RC_ASSERT(source.id_for(token) != source.id_for(other));
  RC_ASSERT(source.id_for(token) != push_id_source{uuid{b}}.id_for(token));
}

} // namespace
} // namespace signalbox
