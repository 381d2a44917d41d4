#include "actors/credit.hpp"
#include "tests/support/builders.hpp"
#include "tests/support/caf_fixture.hpp"

#include <numeric>

namespace signalbox {
namespace {

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

} // namespace
} // namespace signalbox
