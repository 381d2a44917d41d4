#include "actors/credit_ledger.hpp"
#include "tests/support/builders.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <numeric>
#include <optional>
#include <vector>

namespace signalbox {
namespace {

const destination production{default_app, platform::apns, environment::production};
const destination sandbox{default_app, platform::apns, environment::sandbox};
const destination android{default_app, platform::fcm, environment::production};

credit_ledger ledger_of(std::size_t capacity, std::vector<std::optional<platform>> senders) {
  credit_ledger made{capacity};
  made.set_senders(std::move(senders));
  return made;
}

std::int64_t sum(const std::vector<credit_share>& shares) {
  return std::accumulate(shares.begin(), shares.end(), std::int64_t{0},
                         [](auto total, const auto& share) { return total + share.targets; });
}

TEST(credit_ledger, only_senders_of_the_destinations_provider_have_room) {
  auto ledger = ledger_of(100, {platform::apns, platform::fcm, platform::apns});
  ledger.open(production);
  const auto shares = ledger.reserve({}, false, 1);
  ASSERT_EQ(shares.size(), 2u);
  EXPECT_EQ(shares[0].sender, 0u);
  EXPECT_EQ(shares[1].sender, 2u);
  EXPECT_EQ(sum(shares), 200);
  EXPECT_TRUE(ledger.reserve({}, true, 1).empty()) << "all of it is reserved";
}

TEST(credit_ledger, a_sender_that_is_down_has_no_room) {
  auto ledger = ledger_of(100, {platform::apns, std::nullopt});
  ledger.open(production);
  const auto shares = ledger.reserve({}, true, 1);
  ASSERT_EQ(shares.size(), 1u);
  EXPECT_EQ(shares[0].sender, 0u);
}

TEST(credit_ledger, a_claim_waits_for_a_quarter_and_claimed_works_for_anything) {
  auto ledger = ledger_of(100, {platform::apns});
  ledger.open(production);
  ledger.set_used({0, production, 76});
  EXPECT_TRUE(ledger.reserve({}, false, 1).empty());
  EXPECT_EQ(sum(ledger.reserve({}, true, 1)), 24);
  ledger.give_back({0, production, 25});
  EXPECT_EQ(sum(ledger.reserve({}, false, 1)), 25);
}

TEST(credit_ledger, masters_share_a_capacity) {
  auto ledger = ledger_of(100, {platform::apns});
  ledger.open(production);
  EXPECT_EQ(sum(ledger.reserve({}, false, 4)), 25);
  EXPECT_EQ(ledger.used(0, production), 25);
}

TEST(credit_ledger, only_wanted_destinations_are_answered) {
  auto ledger = ledger_of(100, {platform::apns, platform::fcm});
  EXPECT_TRUE(ledger.empty());
  for (const auto& dest : {production, sandbox, android})
    ledger.open(dest);
  EXPECT_FALSE(ledger.empty());
  const auto shares = ledger.reserve({sandbox}, false, 1);
  ASSERT_EQ(shares.size(), 1u);
  EXPECT_EQ(shares[0].dest, sandbox);
}

TEST(credit_ledger, a_new_sender_holds_nothing) {
  auto ledger = ledger_of(100, {platform::apns});
  ledger.open(production);
  ledger.reserve({}, true, 1);
  ledger.clear_sender(0);
  EXPECT_EQ(sum(ledger.reserve({}, true, 1)), 100);
}

TEST(credit_ledger, more_senders_bring_more_room) {
  auto ledger = ledger_of(100, {platform::apns});
  ledger.open(production);
  ledger.reserve({}, true, 1);
  ledger.set_senders({platform::apns, platform::apns});
  EXPECT_EQ(sum(ledger.reserve({}, true, 1)), 100);
}

// Claims overdraw by less than a chunk: that part is the claim's, never the ledger's.
RC_GTEST_PROP(credit_ledger, never_reserves_more_than_the_capacity, ()) {
  const auto capacity = *rc::gen::inRange<std::int64_t>(1, 3'000);
  auto ledger =
    ledger_of(static_cast<std::size_t>(capacity), {platform::apns, platform::fcm, platform::apns});
  for (const auto& dest : {production, sandbox, android})
    ledger.open(dest);
  std::vector<credit_share> granted;
  std::int64_t overdrawn = 0;
  const auto steps = *rc::gen::inRange(1, 60);
  for (int step = 0; step < steps; ++step) {
    if (granted.empty() || *rc::gen::arbitrary<bool>()) {
      const auto shares =
        ledger.reserve({}, *rc::gen::arbitrary<bool>(), *rc::gen::inRange<std::size_t>(1, 5));
      granted.insert(granted.end(), shares.begin(), shares.end());
    } else {
      const auto at = *rc::gen::inRange<std::size_t>(0, granted.size());
      const auto back = *rc::gen::inRange<std::int64_t>(-50, granted[at].targets + 1);
      ledger.give_back({granted[at].sender, granted[at].dest, back});
      granted[at].targets -= back;
      overdrawn += back < 0 ? -back : 0;
    }
    for (std::size_t sender = 0; sender < 3; ++sender)
      for (const auto& dest : {production, sandbox, android}) {
        std::int64_t held = 0;
        for (const auto& share : granted)
          if (share.sender == sender && share.dest == dest)
            held += share.targets;
        RC_ASSERT(ledger.used(sender, dest) == held);
        RC_ASSERT(held <= capacity + overdrawn);
      }
  }
}

TEST(credit_ledger, a_limit_bounds_what_is_promised) {
  credit_ledger ledger{100};
  ledger.set_senders({platform::apns});
  ledger.open(apns_production);
  ledger.set_limit(apns_production, 0);
  EXPECT_TRUE(ledger.reserve({}, true, 1).empty());
  ledger.set_limit(apns_production, 4);
  auto shares = ledger.reserve({}, false, 1);
  ASSERT_EQ(shares.size(), 1u);
  EXPECT_EQ(shares[0].targets, 4);
  EXPECT_TRUE(ledger.reserve({}, true, 1).empty());
  ledger.set_limit(apns_production, SIZE_MAX);
  shares = ledger.reserve({}, false, 1);
  ASSERT_EQ(shares.size(), 1u);
  EXPECT_EQ(shares[0].targets, 96);
}

TEST(credit_ledger, a_probe_goes_to_the_sender_that_holds_least) {
  credit_ledger ledger{100};
  ledger.set_senders({std::nullopt, platform::apns, platform::apns, platform::fcm});
  ledger.open(apns_production);
  ledger.set_limit(apns_production, 0);
  ledger.set_used({1, apns_production, 7});
  const auto share = ledger.reserve_probe(apns_production, 10);
  ASSERT_TRUE(share);
  EXPECT_EQ(share->sender, 2u);
  EXPECT_EQ(share->targets, 10);
  EXPECT_EQ(ledger.used(2, apns_production), 10);
  ledger.set_senders({std::nullopt, std::nullopt, std::nullopt, platform::fcm});
  EXPECT_FALSE(ledger.reserve_probe(apns_production, 10));
}

} // namespace
} // namespace signalbox
