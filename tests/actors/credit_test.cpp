#include "actors/credit.hpp"
#include "tests/support/builders.hpp"
#include "tests/support/caf_fixture.hpp"

#include <numeric>

namespace signalbox {
namespace {

using namespace std::chrono_literals;

class credit_stage : public caf_fixture {
protected:
  using master_inbox = inbox<credit_grant, destination_changed>;
  using sender_inbox = inbox<assign_works, destination_changed>;

  // Two masters and an APNs sender with room for 100 targets for each destination.
  void SetUp() override {
    start_credit();
    peers.lane = "push";
    for (int i = 0; i < 2; ++i) {
      boxes.push_back(std::make_shared<master_inbox>());
      peers.masters.push_back(probe<master>(boxes.back()));
    }
    peers.senders.push_back(new_sender());
    peers.sender_platforms.push_back(platform::apns);
    publish();
  }

  void start_credit() {
    credit_options options;
    options.lane = "push";
    options.capacity = 100;
    options.breakers.window = 50;
    options.probe_targets = 10;
    options.seed = 1;
    room = start<credit_actor>(std::make_shared<mailbox_stats>(), std::cref<wall_clock>(clock),
                               std::ref(board), breakers, options);
  }

  signalbox::sender new_sender() {
    return probe<signalbox::sender>(std::make_shared<inbox<assign_works>>());
  }

  void publish() {
    anon_send_urgent(room, peers_changed{std::make_shared<lane_peers>(peers)});
    run();
  }

  template <class Message>
  void tell(Message message) {
    anon_send_urgent(room, std::move(message));
    run();
  }

  void open(const destination& dest) { tell(open_destinations{{dest}}); }

  void ask(std::size_t master, std::vector<destination> wanted = {}) {
    tell(credit_request{master, {}, true, std::move(wanted)});
  }

  void ask_urgently(std::size_t master, const destination& dest) {
    tell(credit_request{master, {dest}, false, {}});
  }

  void give_back(std::int64_t targets, const destination& dest = apns_production) {
    tell(credit_return{{{0, dest, targets}}});
  }

  // What a master was granted since it was last asked; -1: no answer.
  std::int64_t granted(std::size_t master) {
    const auto grants = boxes[master]->take<credit_grant>();
    std::int64_t sum = grants.empty() ? -1 : 0;
    for (const auto& grant : grants)
      for (const auto& share : grant.shares)
        sum += share.targets;
    return sum;
  }

  breaker_board board;
  std::shared_ptr<lane_breakers> breakers = std::make_shared<lane_breakers>();
  credit room;
  lane_peers peers;
  std::vector<std::shared_ptr<master_inbox>> boxes;
};

TEST_F(credit_stage, with_no_destination_known_a_claim_goes_without_room) {
  ask(0);
  EXPECT_TRUE(boxes[0]->all<credit_grant>().at(0).claim);
  EXPECT_EQ(granted(0), 0);
}

TEST_F(credit_stage, masters_share_the_room_and_wait_for_more) {
  open(apns_production);
  ask(0);
  ask(1);
  EXPECT_EQ(granted(0), 50);
  EXPECT_EQ(granted(1), 50);
  ask(0);
  EXPECT_EQ(granted(0), -1);
  give_back(24);
  EXPECT_EQ(granted(0), -1) << "not yet worth a transaction";
  give_back(1);
  EXPECT_EQ(granted(0), 25);
}

TEST_F(credit_stage, works_that_are_claimed_get_any_room) {
  open(apns_production);
  ask(0);
  ask(1);
  granted(0);
  ask_urgently(0, apns_production);
  EXPECT_EQ(granted(0), -1);
  give_back(1);
  EXPECT_EQ(boxes[0]->all<credit_grant>().at(0).claim, false);
  EXPECT_EQ(granted(0), 1);
}

TEST_F(credit_stage, only_what_is_wanted_counts) {
  open(apns_production);
  open(apns_sandbox);
  ask(0, {apns_sandbox});
  const auto grant = boxes[0]->all<credit_grant>().at(0);
  ASSERT_EQ(grant.shares.size(), 1u);
  EXPECT_EQ(grant.shares[0].dest, apns_sandbox);
  EXPECT_TRUE(grant.claim);
}

TEST_F(credit_stage, a_stalled_destination_does_not_hold_back_another) {
  open(apns_production);
  tell(credit_used{{{0, apns_production, 100}}});
  tell(credit_request{0, {apns_production}, true, {}});
  EXPECT_EQ(granted(0), -1);
  open(apns_sandbox);
  EXPECT_GT(granted(0), 0) << "a work waits for the full one, a claim may go to the other";
}

TEST_F(credit_stage, a_later_request_replaces_an_earlier_one) {
  open(apns_production);
  open(apns_sandbox);
  tell(credit_used{{{0, apns_production, 100}, {0, apns_sandbox, 100}}});
  ask(0, {apns_production});
  ask(0, {apns_sandbox});
  give_back(100, apns_production);
  EXPECT_EQ(granted(0), -1);
  give_back(100, apns_sandbox);
  EXPECT_EQ(granted(0), 50);
}

TEST_F(credit_stage, room_goes_to_the_masters_in_turn) {
  open(apns_production);
  tell(credit_used{{{0, apns_production, 100}}});
  ask(0);
  ask(1);
  std::vector<std::size_t> served;
  for (int i = 0; i < 6; ++i) {
    give_back(25);
    for (std::size_t master = 0; master < 2; ++master)
      if (granted(master) > 0) {
        served.push_back(master);
        ask(master); // wants more at once
      }
  }
  ASSERT_EQ(served.size(), 6u);
  for (std::size_t i = 1; i < served.size(); ++i)
    EXPECT_NE(served[i], served[i - 1]) << "turn " << i;
}

TEST_F(credit_stage, a_claim_that_overdrew_is_made_up_for_first) {
  open(apns_production);
  ask(0);
  ask(1);
  granted(0);
  granted(1);
  give_back(-40); // 140 of 100
  ask(0);
  give_back(64);
  EXPECT_EQ(granted(0), -1);
  give_back(1);
  EXPECT_EQ(granted(0), 25);
}

TEST_F(credit_stage, a_sender_that_is_down_has_no_room) {
  open(apns_production);
  peers.senders[0] = nullptr;
  publish();
  ask_urgently(0, apns_production);
  EXPECT_EQ(granted(0), -1);
  peers.senders[0] = new_sender();
  publish();
  EXPECT_EQ(granted(0), 50);
}

TEST_F(credit_stage, a_new_sender_starts_empty) {
  open(apns_production);
  ask(0);
  ask(1);
  granted(0);
  peers.senders[0] = new_sender();
  publish();
  ask(0);
  EXPECT_EQ(granted(0), 50);
}

TEST_F(credit_stage, a_new_credit_actor_hears_what_senders_hold) {
  tell(credit_used{{{0, apns_production, 60}}});
  ask(0);
  EXPECT_EQ(granted(0), 40);
}

TEST_F(credit_stage, room_granted_to_a_master_that_died_comes_back) {
  open(apns_production);
  ask(1);
  EXPECT_EQ(granted(1), 50);
  crash(peers.masters[0]);
  run();
  ask(0);
  EXPECT_EQ(granted(0), -1);
  ask(1);
  EXPECT_EQ(granted(1), 50) << "what the dead one was granted";
}

TEST_F(credit_stage, a_master_that_is_down_keeps_nobody_waiting) {
  open(apns_production);
  peers.masters[0] = nullptr;
  publish();
  ask(0);
  ask(1);
  EXPECT_EQ(granted(1), 50);
  ask(1);
  EXPECT_EQ(granted(1), 50);
}

// --- breakers

class credit_with_breakers : public credit_stage {
protected:
  void SetUp() override {
    credit_stage::SetUp();
    peers.senders = {probe<signalbox::sender>(sender_boxes[0]),
                     probe<signalbox::sender>(sender_boxes[1])};
    peers.sender_platforms = {platform::apns, platform::apns};
    publish();
    open(apns_production);
  }

  void fail(unsigned count, std::size_t sender = 0) {
    destination_report news{sender, apns_production};
    news.failures = count;
    news.reason = "ServiceUnavailable";
    tell(std::move(news));
  }

  void succeed(std::size_t sender = 0) {
    destination_report news{sender, apns_production};
    news.success = true;
    tell(std::move(news));
  }

  void refuse(std::vector<token_id> tokens, std::size_t sender = 0) {
    destination_report news{sender, apns_production};
    for (const auto each : tokens)
      news.refused.push_back({each, true});
    news.reason = "InvalidProviderToken";
    tell(std::move(news));
  }

  // What a sender was last told; nothing if it was not told anything since it was last asked for.
  std::optional<destination_changed> told(std::size_t sender) {
    const auto all = sender_boxes[sender]->take<destination_changed>();
    return all.empty() ? std::nullopt : std::optional{all.back()};
  }

  std::optional<credit_share> probe_granted(std::size_t master = 0) {
    for (const auto& grant : boxes[master]->take<credit_grant>())
      for (const auto& share : grant.shares)
        if (share.probe != 0)
          return share;
    return std::nullopt;
  }

  // Opens the breaker and lets a master have the probe.
  credit_share probing() {
    fail(20);
    ask(0);
    advance(2s);
    const auto share = probe_granted();
    EXPECT_TRUE(share);
    return share.value_or(credit_share{});
  }

  breaker_state on_board() const {
    const auto views = board.list();
    return views.empty() ? breaker_state::closed : views.at(0).state;
  }

  std::vector<std::shared_ptr<sender_inbox>> sender_boxes{std::make_shared<sender_inbox>(),
                                                          std::make_shared<sender_inbox>()};
};

TEST_F(credit_with_breakers, senders_are_asked_for_their_successes_while_any_fails) {
  fail(1, 0);
  ASSERT_TRUE(told(1));
  fail(1, 0);
  EXPECT_FALSE(told(1)) << "nothing new";
  succeed(1);
  const auto end = told(0);
  ASSERT_TRUE(end);
  EXPECT_FALSE(end->watch);
  EXPECT_TRUE(end->success);
  EXPECT_EQ(end->limit, 50u);
  succeed(1);
  EXPECT_FALSE(told(0));
}

TEST_F(credit_with_breakers, failures_of_all_senders_count_together) {
  fail(10, 0);
  fail(9, 1);
  EXPECT_EQ(on_board(), breaker_state::closed);
  fail(1, 0);
  EXPECT_EQ(on_board(), breaker_state::open);
  const auto views = board.list();
  ASSERT_EQ(views.size(), 1u);
  EXPECT_EQ(views[0].place, (breaker_place{"push", apns_production, breaker_kind::outage}));
  EXPECT_EQ(views[0].reason, "ServiceUnavailable");
  EXPECT_EQ(views[0].since, clock.now());
  ASSERT_TRUE(views[0].next_probe);
  EXPECT_GE(*views[0].next_probe, clock.now() + 1s);
  EXPECT_EQ(told(0)->limit, 0u);
  EXPECT_EQ(told(1)->limit, 0u);
  EXPECT_EQ(boxes[0]->take<destination_changed>().back().state, breaker_state::open);
}

TEST_F(credit_with_breakers, an_open_destination_has_no_room_and_others_do) {
  open(apns_sandbox);
  fail(20);
  ask(0, {apns_production});
  EXPECT_EQ(granted(0), -1);
  ask_urgently(0, apns_production);
  EXPECT_EQ(granted(0), -1);
  ask(1);
  EXPECT_EQ(granted(1), 100) << "the sandbox's, half of it from each sender";
}

TEST_F(credit_with_breakers, one_master_gets_one_probe_at_one_sender) {
  fail(20);
  ask(0);
  ask(1);
  EXPECT_FALSE(probe_granted(0));
  told(0);
  told(1);
  advance(2s);
  const auto first = probe_granted(0);
  const auto second = probe_granted(1);
  ASSERT_NE(first.has_value(), second.has_value());
  const auto share = first ? *first : *second;
  EXPECT_EQ(told(share.sender)->limit, 1u);
  EXPECT_EQ(told(1 - share.sender)->limit, 0u);
  EXPECT_EQ(on_board(), breaker_state::probing);
  advance(30s);
  EXPECT_FALSE(probe_granted(0));
  EXPECT_FALSE(probe_granted(1));
}

TEST_F(credit_with_breakers, an_unused_probe_is_neither_lost_nor_doubled) {
  const auto share = probing();
  tell(credit_return{{share}});
  EXPECT_EQ(on_board(), breaker_state::open);
  ask(0);
  advance(2s);
  const auto next = probe_granted();
  ASSERT_TRUE(next);
  EXPECT_NE(next->probe, share.probe);
  auto late = share;
  late.targets = 0;
  tell(credit_return{{late}}); // of the first one
  EXPECT_EQ(on_board(), breaker_state::probing);
}

TEST_F(credit_with_breakers, a_probe_granted_to_a_master_that_dies_comes_back) {
  fail(20);
  const auto victim = peers.masters[0];
  ask(0);
  crash(victim);
  advance(2s);
  EXPECT_EQ(on_board(), breaker_state::open);
  ask(1);
  advance(2s);
  EXPECT_TRUE(probe_granted(1));
}

TEST_F(credit_with_breakers, a_probe_at_a_sender_that_dies_is_followed_by_another) {
  const auto share = probing();
  sender_boxes[share.sender] = std::make_shared<sender_inbox>();
  peers.senders[share.sender] = probe<signalbox::sender>(sender_boxes[share.sender]);
  publish();
  EXPECT_EQ(on_board(), breaker_state::open);
  EXPECT_EQ(told(share.sender)->limit, 0u) << "the new one knows";
  ask(0);
  advance(2s);
  EXPECT_TRUE(probe_granted());
}

TEST_F(credit_with_breakers, a_probe_without_anything_to_send_is_followed_soon) {
  const auto share = probing();
  destination_report idle{share.sender, apns_production};
  idle.idle = true;
  tell(std::move(idle));
  ask(0);
  advance(100ms);
  EXPECT_TRUE(probe_granted());
}

TEST_F(credit_with_breakers, a_successful_probe_ramps_up_by_what_is_committed) {
  const auto share = probing();
  tell(credit_return{{{share.sender, apns_production, share.targets, 0}}}); // it was used
  succeed(share.sender);
  EXPECT_EQ(on_board(), breaker_state::ramping);
  EXPECT_EQ(told(0)->limit, 2u);
  ask(0);
  EXPECT_GE(granted(0), 1);
  destination_report progress{share.sender, apns_production};
  progress.committed = 2;
  tell(progress);
  EXPECT_EQ(told(1)->limit, 4u);
  for (std::size_t limit = 4; limit < 50; limit *= 2) {
    progress.committed = limit;
    tell(progress);
  }
  EXPECT_EQ(on_board(), breaker_state::closed);
  EXPECT_EQ(told(0)->limit, 50u);
}

TEST_F(credit_with_breakers, senders_are_asked_for_what_is_accepted_after_a_stray_refusal) {
  refuse({1}, 0);
  EXPECT_TRUE(board.list().empty());
  ASSERT_TRUE(told(1));
  destination_report news{1, apns_production};
  news.accepted = true;
  tell(news);
  const auto end = told(0);
  ASSERT_TRUE(end);
  EXPECT_FALSE(end->watch);
  EXPECT_TRUE(end->accepted);
  refuse({2}, 0);
  EXPECT_TRUE(board.list().empty());
}

TEST_F(credit_with_breakers, two_refused_targets_open_it_and_a_probe_that_is_accepted_closes_it) {
  refuse({1}, 0);
  refuse({2}, 1);
  EXPECT_EQ(told(1)->limit, 0u);
  ASSERT_EQ(board.list().size(), 1u);
  EXPECT_EQ(board.list()[0].place.kind, breaker_kind::configuration);
  EXPECT_EQ(board.list()[0].reason, "InvalidProviderToken");
  ASSERT_TRUE(board.list()[0].next_probe);
  EXPECT_GE(*board.list()[0].next_probe, clock.now() + 30s);
  ask(0);
  advance(29s);
  EXPECT_EQ(granted(0), -1);
  advance(31s);
  const auto first = probe_granted();
  ASSERT_TRUE(first);
  refuse({3}, first->sender);
  EXPECT_EQ(on_board(), breaker_state::open);
  ask(0);
  advance(2min);
  const auto second = probe_granted();
  ASSERT_TRUE(second);
  destination_report news{second->sender, apns_production};
  news.success = true;
  news.accepted = true;
  tell(news);
  EXPECT_EQ(on_board(), breaker_state::ramping);
  EXPECT_EQ(told(0)->limit, 2u);
}

TEST_F(credit_with_breakers, what_may_have_mended_the_configuration_is_found_out_at_once) {
  refuse({1, 2});
  ask(0);
  tell(probe_now{apns_sandbox});
  EXPECT_FALSE(probe_granted());
  tell(probe_now{apns_production});
  EXPECT_TRUE(probe_granted());
}

TEST_F(credit_with_breakers, a_reset_closes_the_configuration_breaker) {
  refuse({1, 2});
  ask(0);
  tell(reset_breakers{apns_sandbox, std::nullopt});
  tell(reset_breakers{apns_production, breaker_kind::outage});
  EXPECT_EQ(board.list().size(), 1u);
  tell(reset_breakers{std::nullopt, breaker_kind::configuration});
  EXPECT_TRUE(board.list().empty());
  EXPECT_EQ(told(1)->limit, 50u);
  EXPECT_GT(granted(0), 0) << "who waited gets room";
}

TEST_F(credit_with_breakers, a_successor_goes_on_with_the_breakers) {
  fail(20);
  crash(room);
  run();
  start_credit();
  publish();
  EXPECT_EQ(told(0)->state, breaker_state::open);
  open(apns_production);
  ask(0, {apns_production});
  EXPECT_EQ(granted(0), -1);
  advance(2s);
  EXPECT_TRUE(probe_granted());
}

} // namespace
} // namespace signalbox
