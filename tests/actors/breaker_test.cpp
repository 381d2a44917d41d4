#include "actors/breaker.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

namespace signalbox {
namespace {

using namespace std::chrono_literals;
using enum breaker_state;
using time_point = breaker::time_point;

const time_point start{1h};
constexpr auto outage = breaker_kind::outage;
constexpr auto configuration = breaker_kind::configuration;

breaker_rules rules() {
  breaker_rules made;
  made.window = 100;
  return made;
}

breaker opened() {
  breaker made{rules()};
  made.failed(0, 20, "ServiceUnavailable", start, 0.5);
  return made;
}

TEST(breaker, twenty_failures_in_a_row_open_it) {
  breaker under_test{rules()};
  EXPECT_TRUE(under_test.failed(0, 1, "http_500", start, 0)) << "a run began";
  EXPECT_FALSE(under_test.failed(1, 18, "http_500", start, 0));
  EXPECT_EQ(under_test.state(), closed);
  EXPECT_TRUE(under_test.watching());
  EXPECT_TRUE(under_test.failed(1, 1, "ServiceUnavailable", start, 0));
  EXPECT_EQ(under_test.state(), open);
  EXPECT_EQ(under_test.limit(0), 0u);
  EXPECT_EQ(under_test.reason(outage), "ServiceUnavailable");
  EXPECT_EQ(under_test.since(outage), start);
}

TEST(breaker, a_success_between_begins_the_count_anew) {
  breaker under_test{rules()};
  under_test.failed(0, 19, "", start, 0);
  EXPECT_TRUE(under_test.succeeded(start));
  EXPECT_FALSE(under_test.watching());
  EXPECT_FALSE(under_test.succeeded(start));
  under_test.failed(0, 19, "", start, 0);
  EXPECT_EQ(under_test.state(), closed);
}

TEST(breaker, one_sender_probes_with_one_request) {
  auto under_test = opened();
  EXPECT_FALSE(under_test.probe_due(start));
  ASSERT_TRUE(under_test.probe_due(start + 2s));
  const auto number = under_test.begin_probe(1, start + 2s);
  EXPECT_EQ(under_test.state(), probing);
  EXPECT_EQ(under_test.limit(1), 1u);
  EXPECT_EQ(under_test.limit(0), 0u);
  EXPECT_FALSE(under_test.probe_due(start + 1h)) << "one at a time";
  EXPECT_FALSE(under_test.failed(0, 5, "", start + 2s, 0)) << "not the probe's answer";
  EXPECT_FALSE(under_test.probe_unused(number + 1, start + 3s, 0)) << "not this probe";
  EXPECT_FALSE(under_test.probe_lost_at(0, start + 3s, 0)) << "not this sender";
  EXPECT_TRUE(under_test.failed(1, 1, "timeout", start + 3s, 0));
  EXPECT_EQ(under_test.state(), open);
  EXPECT_EQ(under_test.reason(outage), "timeout");
  EXPECT_EQ(under_test.since(outage), start) << "it is still the same outage";
}

TEST(breaker, failed_probes_wait_longer_lost_ones_do_not) {
  auto under_test = opened();
  auto now = start;
  std::vector<std::chrono::nanoseconds> waits;
  for (int i = 0; i < 7; ++i) {
    waits.push_back(*under_test.next_probe() - now);
    now = *under_test.next_probe();
    under_test.begin_probe(0, now);
    under_test.failed(0, 1, "", now, 0.999999);
  }
  EXPECT_GE(waits[0], 1s);
  EXPECT_LE(waits[0], 2s);
  EXPECT_GT(waits[2], waits[1]);
  EXPECT_GT(waits[6], 29s);
  EXPECT_LE(waits[6], 30s);
  now = *under_test.next_probe();
  const auto number = under_test.begin_probe(0, now);
  EXPECT_TRUE(under_test.probe_unused(number, now, 0));
  EXPECT_EQ(*under_test.next_probe() - now, 1s);
}

TEST(breaker, a_probe_that_found_nothing_to_send_is_followed_soon) {
  auto under_test = opened();
  under_test.begin_probe(1, start + 2s);
  EXPECT_FALSE(under_test.probe_idle_at(0, start + 3s));
  EXPECT_TRUE(under_test.probe_idle_at(1, start + 3s));
  EXPECT_EQ(*under_test.next_probe(), start + 3s + rules().probe_again);
}

TEST(breaker, a_probe_without_a_word_is_lost_in_the_end) {
  auto under_test = opened();
  const auto at = *under_test.wake_at();
  under_test.begin_probe(0, at);
  EXPECT_EQ(under_test.wake_at(), at + 2min);
  EXPECT_FALSE(under_test.expire(at + 2min - 1ms, 0));
  EXPECT_TRUE(under_test.expire(at + 2min, 0));
  EXPECT_EQ(under_test.state(), open);
}

TEST(breaker, traffic_ramps_up_by_what_is_committed) {
  auto under_test = opened();
  under_test.begin_probe(0, start + 2s);
  EXPECT_TRUE(under_test.succeeded(start + 3s));
  EXPECT_EQ(under_test.state(), ramping);
  std::vector<std::size_t> limits;
  while (under_test.state() == ramping) {
    limits.push_back(under_test.limit(5));
    EXPECT_FALSE(under_test.committed(limits.back() - 1, start + 4s));
    EXPECT_TRUE(under_test.committed(1, start + 4s));
  }
  EXPECT_EQ(limits, (std::vector<std::size_t>{2, 4, 8, 16, 32, 64}));
  EXPECT_EQ(under_test.limit(5), 100u);
  EXPECT_FALSE(under_test.committed(1'000, start + 5s));
}

TEST(breaker, a_ramp_without_traffic_ends_in_a_minute_unless_it_fails) {
  auto under_test = opened();
  under_test.succeeded(start);
  under_test.failed(0, 1, "", start + 1s, 0);
  EXPECT_EQ(under_test.wake_at(), start + 1min);
  EXPECT_FALSE(under_test.expire(start + 1min, 0));
  EXPECT_EQ(under_test.state(), ramping);
  EXPECT_EQ(under_test.wake_at(), start + 2min);
  under_test.succeeded(start + 90s);
  EXPECT_TRUE(under_test.expire(start + 2min, 0));
  EXPECT_EQ(under_test.state(), closed);
}

TEST(breaker, a_refusal_of_the_credentials_stays_until_it_is_reset) {
  breaker under_test{rules()};
  EXPECT_TRUE(under_test.misconfigured("InvalidProviderToken", start));
  EXPECT_FALSE(under_test.misconfigured("InvalidProviderToken", start));
  EXPECT_FALSE(under_test.succeeded(start + 1h)) << "an answer from before";
  EXPECT_FALSE(under_test.reset(outage, start + 1h));
  EXPECT_FALSE(under_test.reset(breaker_kind::token_storm, start + 1h));
  EXPECT_EQ(under_test.state(), open);
  EXPECT_EQ(under_test.state(outage), closed);
  EXPECT_EQ(under_test.limit(0), 0u);
  EXPECT_EQ(under_test.reason(configuration), "InvalidProviderToken");
  EXPECT_EQ(under_test.wake_at(), std::nullopt);
  EXPECT_TRUE(under_test.reset(configuration, start + 2h));
  EXPECT_EQ(under_test.state(), closed);
  EXPECT_EQ(under_test.limit(0), 100u);
}

TEST(breaker, nothing_is_probed_while_the_credentials_are_refused) {
  auto under_test = opened();
  under_test.misconfigured("InvalidProviderToken", start);
  EXPECT_FALSE(under_test.probe_due(start + 1h));
  under_test.reset(configuration, start + 1h);
  EXPECT_TRUE(under_test.probe_due(start + 1h));
  under_test.begin_probe(0, start + 1h);
  EXPECT_TRUE(under_test.misconfigured("InvalidProviderToken", start + 1h));
  EXPECT_EQ(under_test.limit(0), 0u);
  under_test.reset(configuration, start + 2h);
  EXPECT_EQ(under_test.state(), open) << "and the outage is not forgotten";
}

TEST(breaker, a_reset_outage_ramps_up) {
  auto under_test = opened();
  EXPECT_TRUE(under_test.reset(outage, start));
  EXPECT_EQ(under_test.state(), ramping);
}

// Whatever happens in whatever order: at most one request probes, the next probe is never further
// than probe_max away, only enough failures open it, and only a reset closes the other kind.
RC_GTEST_PROP(breaker, keeps_its_word_under_any_history, ()) {
  breaker under_test{rules()};
  auto now = start;
  unsigned failures = 0; // since the last success
  bool refused = false;
  std::uint64_t last_probe = 0;
  const auto steps = *rc::gen::inRange(1, 200);
  for (int i = 0; i < steps; ++i) {
    now += std::chrono::milliseconds{*rc::gen::inRange(0, 40'000)};
    const auto sender = *rc::gen::inRange<std::size_t>(0, 3);
    const auto random = *rc::gen::inRange(0, 1'000) / 1'000.0;
    const auto before = under_test.state(outage);
    switch (*rc::gen::inRange(0, 10)) {
    case 0:
    case 1: {
      const auto count = *rc::gen::inRange(1u, 25u);
      under_test.failed(sender, count, "x", now, random);
      failures += count;
      break;
    }
    case 2:
      under_test.succeeded(now);
      failures = 0;
      RC_ASSERT(under_test.state(outage) == closed || under_test.state(outage) == ramping);
      break;
    case 3:
      under_test.committed(*rc::gen::inRange<std::size_t>(0, 50), now);
      break;
    case 4:
      under_test.misconfigured("y", now);
      refused = true;
      break;
    case 5:
      if (under_test.reset(configuration, now))
        refused = false;
      break;
    case 6:
      if (under_test.probe_due(now)) {
        RC_ASSERT(before == open);
        RC_ASSERT(!refused);
        const auto number = under_test.begin_probe(sender, now);
        RC_ASSERT(number != last_probe);
        last_probe = number;
      }
      break;
    case 7:
      under_test.probe_lost_at(sender, now, random);
      break;
    case 9:
      under_test.probe_idle_at(sender, now);
      break;
    case 8:
      under_test.expire(now, random);
      under_test.probe_unused(last_probe, now, random);
      break;
    }
    const auto after = under_test.state(outage);
    if (after == open && before != open && before != probing)
      RC_ASSERT(failures >= 20);
    RC_ASSERT((under_test.state(configuration) == open) == refused);
    std::size_t room = 0;
    for (std::size_t each = 0; each < 3; ++each)
      room += under_test.limit(each);
    if (refused || after == open)
      RC_ASSERT(room == 0u);
    else if (after == probing)
      RC_ASSERT(room == 1u);
    else
      RC_ASSERT(room >= 3u);
    if (after == open && !refused)
      RC_ASSERT(*under_test.next_probe() <= now + rules().probe_max);
    if (before != open && after == open)
      RC_ASSERT(refused || *under_test.next_probe() >= now + rules().probe_again);
    if (after == probing)
      RC_ASSERT(*under_test.wake_at() <= now + rules().probe_patience);
  }
  // It always finds its way back.
  under_test.reset(configuration, now);
  if (under_test.state(outage) == probing) {
    now += rules().probe_patience;
    under_test.expire(now, 0.5);
  }
  now += rules().probe_max;
  if (under_test.state(outage) == open) {
    RC_ASSERT(under_test.probe_due(now));
    under_test.begin_probe(0, now);
  }
  under_test.succeeded(now);
  for (int i = 0; i < 10; ++i)
    under_test.committed(100, now);
  RC_ASSERT(under_test.state() == closed);
}

} // namespace
} // namespace signalbox
