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

std::vector<refused_target> targets(std::initializer_list<token_id> tokens) {
  std::vector<refused_target> made;
  for (const auto each : tokens)
    made.push_back({each, true});
  return made;
}

breaker misconfigured() {
  breaker made{rules()};
  made.refused(0, "InvalidProviderToken", targets({1, 2}), start, 0.5);
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
    waits.push_back(*under_test.next_probe(outage) - now);
    now = *under_test.next_probe(outage);
    under_test.begin_probe(0, now);
    under_test.failed(0, 1, "", now, 0.999999);
  }
  EXPECT_GE(waits[0], 1s);
  EXPECT_LE(waits[0], 2s);
  EXPECT_GT(waits[2], waits[1]);
  EXPECT_GT(waits[6], 29s);
  EXPECT_LE(waits[6], 30s);
  now = *under_test.next_probe(outage);
  const auto number = under_test.begin_probe(0, now);
  EXPECT_TRUE(under_test.probe_unused(number, now, 0));
  EXPECT_EQ(*under_test.next_probe(outage) - now, 1s);
}

TEST(breaker, a_probe_that_found_nothing_to_send_is_followed_soon) {
  auto under_test = opened();
  under_test.begin_probe(1, start + 2s);
  EXPECT_FALSE(under_test.probe_idle_at(0, start + 3s, 0));
  EXPECT_TRUE(under_test.probe_idle_at(1, start + 3s, 0));
  EXPECT_EQ(*under_test.next_probe(outage), start + 3s + rules().probe_again);
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

TEST(breaker, one_refused_target_opens_nothing_and_a_second_one_does) {
  breaker under_test{rules()};
  EXPECT_TRUE(under_test.refused(0, "InvalidProviderToken", targets({1}), start, 0))
    << "senders are to tell of what is accepted";
  EXPECT_TRUE(under_test.watching());
  EXPECT_FALSE(under_test.refused(0, "InvalidProviderToken", targets({1}), start, 0));
  EXPECT_EQ(under_test.state(), closed);
  EXPECT_TRUE(under_test.refused(1, "InvalidProviderToken", targets({2}), start + 1h, 0));
  EXPECT_EQ(under_test.state(), open);
  EXPECT_EQ(under_test.state(outage), closed);
  EXPECT_EQ(under_test.state(configuration), open);
  EXPECT_EQ(under_test.limit(0), 0u);
  EXPECT_EQ(under_test.reason(configuration), "InvalidProviderToken");
  EXPECT_EQ(under_test.since(configuration), start + 1h);
}

TEST(breaker, what_is_accepted_between_two_refused_targets_keeps_it_closed) {
  breaker under_test{rules()};
  under_test.refused(0, "InvalidProviderToken", targets({1}), start, 0);
  EXPECT_FALSE(under_test.succeeded(start)) << "a provider that answers may refuse the credentials";
  EXPECT_TRUE(under_test.watching());
  EXPECT_TRUE(under_test.accepted(start));
  EXPECT_FALSE(under_test.watching());
  under_test.refused(0, "InvalidProviderToken", targets({2}), start, 0);
  EXPECT_EQ(under_test.state(), closed);
}

TEST(breaker, refused_credentials_are_asked_about_every_few_minutes) {
  auto under_test = misconfigured();
  auto now = start;
  std::vector<std::chrono::nanoseconds> waits;
  for (token_id each = 3; each < 9; ++each) {
    ASSERT_TRUE(under_test.next_probe(configuration));
    EXPECT_EQ(under_test.next_probe(outage), std::nullopt);
    EXPECT_EQ(under_test.wake_at(), under_test.next_probe(configuration));
    waits.push_back(*under_test.next_probe(configuration) - now);
    now = *under_test.next_probe(configuration);
    EXPECT_FALSE(under_test.probe_due(now - 1ns));
    ASSERT_TRUE(under_test.probe_due(now));
    under_test.begin_probe(1, now);
    EXPECT_EQ(under_test.state(configuration), probing);
    EXPECT_EQ(under_test.state(outage), closed);
    EXPECT_EQ(under_test.limit(1), 1u);
    EXPECT_EQ(under_test.limit(0), 0u);
    EXPECT_FALSE(under_test.refused(0, "InvalidProviderToken", targets({each}), now, 0))
      << "an answer from before";
    EXPECT_TRUE(under_test.refused(1, "Forbidden", targets({each}), now, 0.999999));
    EXPECT_EQ(under_test.state(), open);
    EXPECT_EQ(under_test.reason(configuration), "Forbidden");
  }
  EXPECT_GE(waits[0], 30s);
  EXPECT_LE(waits[0], 60s);
  EXPECT_GT(waits[1], waits[0]);
  EXPECT_GT(waits[5], 239s);
  EXPECT_LE(waits[5], 240s);
  EXPECT_EQ(under_test.since(configuration), start) << "it is still the same";
}

TEST(breaker, an_accepted_probe_ends_the_refusal_with_a_ramp) {
  auto under_test = misconfigured();
  under_test.begin_probe(0, start + 1min);
  EXPECT_FALSE(under_test.succeeded(start + 1min)) << "a bad token says nothing of the credentials";
  EXPECT_EQ(under_test.state(), probing);
  EXPECT_TRUE(under_test.accepted(start + 1min));
  EXPECT_EQ(under_test.state(configuration), closed);
  EXPECT_EQ(under_test.state(), ramping);
  EXPECT_EQ(under_test.limit(0), 2u);
  EXPECT_EQ(under_test.reason(outage), "InvalidProviderToken");
}

TEST(breaker, a_probe_goes_on_past_targets_that_were_refused_before) {
  auto under_test = misconfigured();
  auto now = start;
  const auto probe = [&](std::initializer_list<token_id> refused) {
    now = *under_test.wake_at();
    under_test.begin_probe(0, now);
    for (const auto each : refused) {
      EXPECT_EQ(under_test.state(), probing) << "of target " << each;
      EXPECT_EQ(under_test.limit(0), 1u);
      under_test.refused(0, "InvalidProviderToken", targets({each}), now, 0.5);
    }
    EXPECT_EQ(under_test.state(), open);
  };
  probe({1});
  probe({1, 2});
  probe({1, 2, 3});
  probe({1, 2, 3, 4});
  probe({1, 2, 3, 4, 1}); // no more than that
}

TEST(breaker, a_probe_with_none_but_targets_refused_before_waits_its_minutes) {
  auto under_test = misconfigured();
  auto now = *under_test.wake_at();
  under_test.begin_probe(0, now);
  under_test.refused(0, "InvalidProviderToken", targets({1}), now, 0);
  now = *under_test.wake_at();
  under_test.begin_probe(0, now);
  under_test.refused(0, "InvalidProviderToken", targets({1}), now, 0);
  EXPECT_TRUE(under_test.probe_idle_at(0, now, 0));
  EXPECT_GE(*under_test.next_probe(configuration), now + 1min);
}

TEST(breaker, what_may_have_mended_it_makes_the_probe_due) {
  auto under_test = misconfigured();
  EXPECT_FALSE(breaker{rules()}.ask_now(start)) << "nothing to ask about";
  EXPECT_FALSE(under_test.probe_due(start + 1s));
  EXPECT_TRUE(under_test.ask_now(start + 1s));
  EXPECT_TRUE(under_test.probe_due(start + 1s));
  under_test.begin_probe(0, start + 1s);
  EXPECT_TRUE(under_test.ask_now(start + 2s)) << "of a probe that left before it knows nothing";
  under_test.refused(0, "InvalidProviderToken", targets({3}), start + 3s, 0.5);
  EXPECT_TRUE(under_test.probe_due(start + 3s));
  under_test.begin_probe(0, start + 3s);
  under_test.refused(0, "InvalidProviderToken", targets({4}), start + 4s, 0.5);
  EXPECT_FALSE(under_test.probe_due(start + 4s));
}

TEST(breaker, the_nodes_own_word_opens_it_at_once) {
  breaker under_test{rules()};
  EXPECT_TRUE(under_test.misconfigured(0, "no_credentials", start, 0));
  EXPECT_FALSE(under_test.misconfigured(0, "no_credentials", start, 0));
  EXPECT_EQ(under_test.state(configuration), open);
  under_test.begin_probe(1, start + 30s);
  EXPECT_TRUE(under_test.misconfigured(1, "no_credentials", start + 30s, 0));
  EXPECT_EQ(under_test.state(configuration), open);
  EXPECT_GE(*under_test.next_probe(configuration), start + 90s);
}

TEST(breaker, a_reset_closes_it_at_once) {
  auto under_test = misconfigured();
  EXPECT_FALSE(under_test.reset(outage, start + 1h));
  EXPECT_FALSE(under_test.reset(breaker_kind::token_storm, start + 1h));
  EXPECT_EQ(under_test.state(), open);
  EXPECT_TRUE(under_test.reset(configuration, start + 2h));
  EXPECT_EQ(under_test.state(), closed);
  EXPECT_EQ(under_test.limit(0), 100u);
}

TEST(breaker, one_probe_is_for_both_kinds) {
  auto under_test = opened();
  under_test.misconfigured(0, "no_credentials", start, 0);
  EXPECT_FALSE(under_test.probe_due(start + 29s)) << "the outage's would be in vain";
  ASSERT_TRUE(under_test.probe_due(start + 30s));
  under_test.begin_probe(0, start + 30s);
  EXPECT_EQ(under_test.state(outage), probing);
  EXPECT_EQ(under_test.state(configuration), probing);
  EXPECT_TRUE(under_test.failed(0, 1, "timeout", start + 31s, 0));
  EXPECT_EQ(under_test.state(), open);
  EXPECT_TRUE(under_test.probe_due(start + 33s)) << "nothing was learnt of the credentials";
  under_test.begin_probe(0, start + 33s);
  EXPECT_TRUE(under_test.accepted(start + 34s));
  EXPECT_EQ(under_test.state(), ramping);
  EXPECT_EQ(under_test.state(configuration), closed);
}

TEST(breaker, an_outage_ends_with_a_probe_that_is_refused_for_its_credentials) {
  auto under_test = opened();
  under_test.begin_probe(0, start + 2s);
  EXPECT_TRUE(under_test.refused(0, "InvalidProviderToken", targets({1}), start + 2s, 0));
  EXPECT_EQ(under_test.state(), ramping) << "it answers";
  EXPECT_TRUE(under_test.refused(0, "InvalidProviderToken", targets({2}), start + 2s, 0));
  EXPECT_EQ(under_test.state(configuration), open);
}

TEST(breaker, a_reset_outage_ramps_up) {
  auto under_test = opened();
  EXPECT_TRUE(under_test.reset(outage, start));
  EXPECT_EQ(under_test.state(), ramping);
}

// Whatever happens in whatever order: at most one request probes, the next probe is never further
// than probe_max away, only enough failures open it, and only what is accepted or a reset closes
// the other kind.
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
    switch (*rc::gen::inRange(0, 13)) {
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
      under_test.misconfigured(sender, "y", now, random);
      refused = true;
      break;
    case 10: {
      const auto token = *rc::gen::inRange<token_id>(1, 10);
      under_test.refused(sender, "z", targets({token, token + 1}), now, random);
      refused = under_test.state(configuration) != closed || refused;
      break;
    }
    case 11:
      under_test.accepted(now);
      refused = false;
      failures = 0;
      break;
    case 12:
      under_test.ask_now(now);
      break;
    case 5:
      if (under_test.reset(configuration, now))
        refused = false;
      break;
    case 6:
      if (under_test.probe_due(now)) {
        RC_ASSERT(before == open || refused);
        const auto number = under_test.begin_probe(sender, now);
        RC_ASSERT(number != last_probe);
        last_probe = number;
      }
      break;
    case 7:
      under_test.probe_lost_at(sender, now, random);
      break;
    case 9:
      under_test.probe_idle_at(sender, now, random);
      break;
    case 8:
      under_test.expire(now, random);
      under_test.probe_unused(last_probe, now, random);
      break;
    }
    const auto after = under_test.state(outage);
    if (after == open && before != open && before != probing)
      RC_ASSERT(failures >= 20);
    RC_ASSERT((under_test.state(configuration) != closed) == refused);
    std::size_t room = 0;
    for (std::size_t each = 0; each < 3; ++each)
      room += under_test.limit(each);
    if (under_test.state() == open)
      RC_ASSERT(room == 0u);
    else if (under_test.state() == probing)
      RC_ASSERT(room == 1u);
    else
      RC_ASSERT(room >= 3u);
    if (under_test.state() == open && !refused)
      RC_ASSERT(*under_test.next_probe(outage) <= now + rules().probe_max);
    if (under_test.state() == open && refused)
      RC_ASSERT(*under_test.next_probe(configuration) <= now + rules().ask_max);
    if (before != open && after == open)
      RC_ASSERT(refused || *under_test.next_probe(outage) >= now + rules().probe_again);
    if (under_test.state() == probing)
      RC_ASSERT(*under_test.wake_at() <= now + rules().probe_patience);
  }
  // It always finds its way back, by itself.
  if (under_test.state() == probing) {
    now += rules().probe_patience;
    under_test.expire(now, 0.5);
  }
  now += rules().ask_max;
  if (under_test.state() == open) {
    RC_ASSERT(under_test.probe_due(now));
    under_test.begin_probe(0, now);
  }
  under_test.accepted(now);
  for (int i = 0; i < 10; ++i)
    under_test.committed(100, now);
  RC_ASSERT(under_test.state() == closed);
}

} // namespace
} // namespace signalbox
