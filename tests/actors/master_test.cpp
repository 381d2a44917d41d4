#include "actors/master.hpp"
#include "tests/support/builders.hpp"
#include "tests/support/caf_fixture.hpp"
#include "tests/support/fake_store.hpp"

#include <algorithm>
#include <map>

namespace signalbox {
namespace {

using namespace std::chrono_literals;

class master_stage : public caf_fixture {
protected:
  using credit_inbox = inbox<credit_request, credit_return, open_destinations>;
  using sender_inbox = inbox<assign_works, extend_leases, drop_works, return_works, job_stopped>;

  // Two APNs senders.
  void SetUp() override {
    peers.lane = "push";
    peers.room = probe<credit>(room);
    peers.plan = probe<planner>(plan);
    for (std::size_t i = 0; i < 2; ++i)
      add_sender();
    start_master();
  }

  void add_sender() {
    senders.push_back(std::make_shared<sender_inbox>());
    peers.senders.push_back(probe<signalbox::sender>(senders.back()));
    peers.sender_platforms.push_back(platform::apns);
  }

  void replace_sender(std::size_t place) {
    senders[place] = std::make_shared<sender_inbox>();
    peers.senders[place] = probe<signalbox::sender>(senders[place]);
    publish();
  }

  void start_master() {
    master_options options;
    options.lane = "push";
    under_test = start<master_actor>(std::make_shared<mailbox_stats>(), std::ref<job_store>(store),
                                     std::cref<wall_clock>(clock), held, options);
    publish();
  }

  void publish() {
    anon_send_urgent(under_test, peers_changed{std::make_shared<lane_peers>(peers)});
    run();
  }

  template <class Message>
  void tell(Message message) {
    anon_send_urgent(under_test, std::move(message));
    run();
  }

  void grant(std::int64_t targets, std::size_t sender = 0,
             const destination& dest = apns_production, bool claim = true) {
    tell(credit_grant{{{sender, dest, targets}}, claim});
  }

  // A planned job, in chunks of `chunk_size`.
  job_id add_job(std::uint64_t n, std::size_t targets, std::size_t chunk_size = 10,
                 const destination& dest = apns_production) {
    auto job = token_job(n, targets, clock.now(), dest);
    store.ledger.commit({job, false}, 15s);
    store.ledger.plan("push", chunk_size);
    return job.id;
  }

  // A job that comes with its commit.
  work_ptr direct_work(std::uint64_t n, const destination& dest = apns_production) {
    return store.ledger.commit({token_job(n, 1, clock.now(), dest), true}, 15s).taken.at(0);
  }

  std::vector<work_ptr> assigned(std::size_t sender) {
    std::vector<work_ptr> all;
    for (const auto& message : senders[sender]->all<assign_works>()) {
      EXPECT_EQ(message.master, 0u);
      all.insert(all.end(), message.works.begin(), message.works.end());
    }
    return all;
  }

  std::size_t assigned_targets() {
    std::size_t sum = 0;
    for (std::size_t sender = 0; sender < senders.size(); ++sender)
      for (const auto& of : assigned(sender))
        sum += of->size();
    return sum;
  }

  std::int64_t returned(const destination& dest = apns_production) {
    std::int64_t sum = 0;
    for (const auto& message : room->all<credit_return>())
      for (const auto& share : message.shares)
        sum += share.dest == dest ? share.targets : 0;
    return sum;
  }

  const credit_request& last_request() { return room->all<credit_request>().at(requests() - 1); }
  std::size_t requests() { return room->all<credit_request>().size(); }

  void finish(const work_ptr& of) {
    outcome_batch batch{of, {}, {}, clock.now()};
    for (std::uint32_t i = 0; i < of->targets.size(); ++i)
      batch.accepted.push_back(i);
    store.ledger.flush({batch});
    tell(works_finished{{of}});
  }

  fake_store store{clock};
  lane_peers peers;
  std::shared_ptr<master_ledger> held = std::make_shared<master_ledger>();
  master under_test;
  std::shared_ptr<credit_inbox> room = std::make_shared<credit_inbox>();
  std::shared_ptr<inbox<work_hint>> plan = std::make_shared<inbox<work_hint>>();
  std::vector<std::shared_ptr<sender_inbox>> senders;
};

TEST_F(master_stage, claims_only_with_credit) {
  add_job(1, 30);
  EXPECT_EQ(requests(), 1u) << "a new master looks for what a former one left";
  EXPECT_TRUE(last_request().claim);
  EXPECT_TRUE(last_request().urgent.empty());
  EXPECT_TRUE(store.claims.empty());
  grant(20);
  ASSERT_EQ(store.claims.size(), 1u);
  ASSERT_EQ(store.claims[0].budgets.size(), 1u);
  EXPECT_EQ(store.claims[0].budgets[0].targets, 20u);
  EXPECT_EQ(assigned(0).size(), 2u);
  EXPECT_EQ(assigned_targets(), 20u);
  EXPECT_EQ(requests(), 2u) << "there may be more";
  EXPECT_EQ(store.claims.size(), 1u);
  EXPECT_EQ(plan->all<work_hint>().size(), 1u) << "there is room for more chunks ahead";
}

TEST_F(master_stage, asks_nothing_more_when_there_is_nothing) {
  grant(20);
  EXPECT_EQ(returned(), 20);
  EXPECT_EQ(requests(), 1u);
  add_job(1, 10);
  tell(work_hint{});
  EXPECT_EQ(requests(), 2u);
  tell(work_hint{});
  EXPECT_EQ(requests(), 2u) << "it has asked already";
}

TEST_F(master_stage, returns_what_a_claim_left_and_what_it_overdrew) {
  add_job(1, 10);
  grant(25);
  EXPECT_EQ(returned(), 15);
  add_job(2, 20);
  tell(work_hint{});
  grant(15); // a chunk of 10, then 5 are left for another one of 10
  EXPECT_EQ(assigned_targets(), 30u);
  EXPECT_EQ(returned(), 15 - 5);
}

TEST_F(master_stage, works_go_to_the_sender_with_most_room) {
  add_job(1, 40);
  tell(credit_grant{{{0, apns_production, 19}, {1, apns_production, 21}}, true});
  EXPECT_EQ(assigned(0).size(), 2u);
  EXPECT_EQ(assigned(1).size(), 2u);
  EXPECT_EQ(senders[1]->all<assign_works>().size(), 1u) << "in one message";
}

TEST_F(master_stage, learns_the_destinations_from_what_a_claim_refused) {
  add_job(1, 10);
  add_job(2, 10, 10, apns_sandbox);
  tell(credit_grant{{}, true}); // none is known yet
  ASSERT_EQ(room->all<open_destinations>().size(), 1u);
  EXPECT_EQ(room->all<open_destinations>()[0].destinations.size(), 2u);
  EXPECT_EQ(last_request().wanted.size(), 2u);
  EXPECT_TRUE(last_request().claim);
}

TEST_F(master_stage, a_hint_widens_a_request_that_waits) {
  add_job(1, 10);
  tell(credit_grant{{}, true});
  EXPECT_EQ(last_request().wanted, (std::vector{apns_production}));
  tell(work_hint{});
  EXPECT_TRUE(last_request().wanted.empty()) << "the hint may be about another destination";
}

TEST_F(master_stage, a_hint_during_a_claim_is_not_narrowed_down_by_its_answer) {
  add_job(1, 10);
  store.hold();
  tell(credit_grant{{}, true});
  tell(work_hint{});
  store.let_go();
  run();
  EXPECT_TRUE(last_request().claim);
  EXPECT_TRUE(last_request().wanted.empty());
}

TEST_F(master_stage, looks_for_unknown_destinations_while_the_known_ones_are_full) {
  tell(work_hint{}); // its request waits: no grant comes
  add_job(1, 10, 10, apns_sandbox);
  advance(500ms);
  ASSERT_EQ(store.claims.size(), 1u);
  EXPECT_TRUE(store.claims[0].budgets.empty());
  EXPECT_EQ(last_request().wanted, (std::vector{apns_sandbox}));
  advance(500ms);
  EXPECT_EQ(store.claims.size(), 1u) << "now it knows where to";
}

TEST_F(master_stage, direct_works_ask_for_any_room_at_their_destination) {
  grant(10); // nothing to claim
  const auto of = direct_work(1, apns_sandbox);
  tell(direct_works{{of}});
  EXPECT_EQ(last_request().urgent, (std::vector{apns_sandbox}));
  EXPECT_FALSE(last_request().claim);
  EXPECT_EQ(room->all<open_destinations>().back().destinations, (std::vector{apns_sandbox}));
  grant(5, 1, apns_sandbox, false);
  EXPECT_EQ(assigned(1), (std::vector{of}));
  EXPECT_EQ(returned(apns_sandbox), 4);
}

TEST_F(master_stage, a_work_that_waits_for_a_full_destination_lets_others_be_claimed) {
  tell(direct_works{{direct_work(1, apns_sandbox)}});
  add_job(2, 10);
  EXPECT_EQ(last_request().urgent, (std::vector{apns_sandbox}));
  EXPECT_TRUE(last_request().claim);
  grant(10);
  EXPECT_EQ(assigned_targets(), 10u);
  EXPECT_EQ(last_request().urgent, (std::vector{apns_sandbox})) << "and still waits";
}

TEST_F(master_stage, room_that_comes_during_a_claim_is_used_or_returned) {
  add_job(1, 10);
  store.hold();
  grant(10);
  grant(7, 1);
  EXPECT_EQ(store.waiting(), 1u) << "one claim at a time";
  store.let_go();
  run();
  EXPECT_EQ(assigned_targets(), 10u);
  EXPECT_EQ(returned(), 7);
}

TEST_F(master_stage, a_claim_that_failed_returns_its_room_and_waits_for_a_hint) {
  add_job(1, 10);
  store.fail(store_call::claim);
  grant(10);
  EXPECT_EQ(returned(), 10);
  const auto asked = requests();
  advance(500ms);
  EXPECT_EQ(requests(), asked);
  store.heal();
  tell(work_hint{});
  grant(10);
  EXPECT_EQ(assigned_targets(), 10u);
}

TEST_F(master_stage, renews_the_leases_of_all_it_holds) {
  add_job(1, 20);
  grant(20);
  const auto before = assigned(0).at(0)->lease_deadline;
  for (int i = 0; i < 60; ++i) // twice the lease
    advance(500ms);
  EXPECT_EQ(store.ledger.expired(), 0u);
  EXPECT_EQ(store.ledger.leased(), 2u);
  const auto& last = senders[0]->all<extend_leases>().back();
  EXPECT_EQ(last.works.size(), 2u);
  EXPECT_EQ(last.deadline, before + 30s);
}

TEST_F(master_stage, renews_what_waits_for_room_too) {
  tell(direct_works{{direct_work(1)}});
  for (int i = 0; i < 60; ++i)
    advance(500ms);
  EXPECT_EQ(store.ledger.expired(), 0u);
}

TEST_F(master_stage, one_renewal_at_a_time) {
  add_job(1, 20);
  grant(20);
  const auto before = store.calls(store_call::renew);
  store.hold();
  for (int i = 0; i < 5; ++i)
    advance(500ms);
  EXPECT_EQ(store.calls(store_call::renew), before + 1);
}

TEST_F(master_stage, a_lost_lease_is_dropped_at_its_sender) {
  add_job(1, 20);
  grant(20);
  const auto lost = assigned(0).at(0);
  store.ledger.release({{lost->kind, lost->key, lost->epoch}});
  advance(500ms);
  ASSERT_EQ(senders[0]->all<drop_works>().size(), 1u);
  EXPECT_EQ(senders[0]->all<drop_works>()[0].works, (std::vector{lost}));
  EXPECT_EQ(senders[0]->all<extend_leases>().back().works.size(), 1u);
  EXPECT_EQ(held->works.size(), 1u);
}

TEST_F(master_stage, a_finished_work_is_forgotten) {
  add_job(1, 10);
  grant(10);
  finish(assigned(0).at(0));
  EXPECT_TRUE(held->works.empty());
  const auto renewals = store.calls(store_call::renew);
  advance(500ms);
  EXPECT_EQ(store.calls(store_call::renew), renewals);
}

TEST_F(master_stage, a_cancelled_job_stops_at_its_sender) {
  const auto job = add_job(1, 10);
  grant(10);
  store.ledger.cancel(job);
  advance(500ms);
  ASSERT_EQ(senders[0]->all<job_stopped>().size(), 1u);
  EXPECT_EQ(senders[0]->all<job_stopped>()[0].job, job);
  EXPECT_EQ(senders[0]->all<job_stopped>()[0].reason, "cancelled");
}

TEST_F(master_stage, word_of_a_stopped_job_is_passed_on_at_once) {
  const auto job = add_job(1, 10);
  grant(10);
  tell(job_stopped{job_number(2), "cancelled"});
  EXPECT_TRUE(senders[0]->all<job_stopped>().empty()) << "it holds nothing of that one";
  tell(job_stopped{job, "cancelled"});
  EXPECT_EQ(senders[0]->all<job_stopped>().size(), 1u);
}

TEST_F(master_stage, what_waits_for_room_when_its_job_is_cancelled_is_given_back) {
  const auto first = direct_work(1);
  const auto second = direct_work(2);
  tell(direct_works{{first, second}});
  store.ledger.cancel(first->key.job);
  tell(job_stopped{first->key.job, "cancelled"});
  EXPECT_EQ(store.ledger.leased(), 1u);
  store.ledger.cancel(second->key.job);
  advance(500ms); // nobody told it, but the renewal does
  EXPECT_EQ(store.ledger.leased(), 0u);
  grant(10);
  EXPECT_EQ(assigned_targets(), 0u);
  store.ledger.sweep({"push", 1'000});
  for (const auto& of : {first, second}) {
    EXPECT_TRUE(store.ledger.account_of(of->key.job).closed());
    EXPECT_EQ(store.ledger.account_of(of->key.job).counts.skipped, 1);
  }
}

TEST_F(master_stage, the_work_of_a_sender_that_died_goes_to_another_less_what_was_committed) {
  add_job(1, 10);
  grant(10);
  const auto orphan = assigned(0).at(0);
  store.ledger.flush({{orphan, {0, 1, 2, 3}, {}, clock.now()}});
  peers.senders[0] = nullptr;
  publish();
  EXPECT_EQ(last_request().urgent, (std::vector{apns_production}));
  grant(10, 1, apns_production, false);
  ASSERT_EQ(assigned(1).size(), 1u);
  const auto rest = assigned(1)[0];
  EXPECT_EQ(rest->targets.size(), 6u);
  EXPECT_EQ(rest->epoch, orphan->epoch);
  EXPECT_EQ(returned(), 4);
  finish(rest);
  EXPECT_TRUE(held->works.empty());
}

TEST_F(master_stage, nothing_is_reloaded_that_the_dead_sender_had_finished) {
  add_job(1, 10);
  grant(10);
  const auto orphan = assigned(0).at(0);
  outcome_batch all{orphan, {0, 1, 2, 3, 4, 5, 6, 7, 8, 9}, {}, clock.now()};
  store.ledger.flush({all});
  replace_sender(0);
  grant(10);
  EXPECT_EQ(assigned_targets(), 0u);
  EXPECT_TRUE(held->works.empty());
}

TEST_F(master_stage, a_reload_that_failed_is_tried_again) {
  add_job(1, 10);
  grant(10);
  store.fail(store_call::reload);
  replace_sender(0);
  EXPECT_EQ(store.calls(store_call::reload), 1u);
  advance(500ms);
  EXPECT_EQ(store.calls(store_call::reload), 2u);
  store.heal();
  advance(500ms);
  grant(10, 0, apns_production, false);
  EXPECT_EQ(assigned_targets(), 10u);
}

TEST_F(master_stage, room_at_a_sender_that_is_down_is_not_used) {
  tell(direct_works{{direct_work(1)}});
  peers.senders[0] = nullptr;
  publish();
  grant(10, 0, apns_production, false);
  EXPECT_EQ(returned(), 10);
  EXPECT_EQ(held->works.size(), 1u);
  grant(10, 1, apns_production, false);
  EXPECT_EQ(assigned_targets(), 1u);
}

TEST_F(master_stage, a_successor_goes_on_with_the_ledger) {
  add_job(1, 10);
  grant(10);
  const auto at_sender = assigned(0).at(0);
  const auto without_room = direct_work(2);
  tell(direct_works{{without_room}});
  crash(under_test);
  run();
  start_master();
  for (int i = 0; i < 60; ++i)
    advance(500ms);
  EXPECT_EQ(store.ledger.expired(), 0u);
  EXPECT_EQ(last_request().urgent, (std::vector{apns_production}));
  grant(10, 0, apns_production, false);
  EXPECT_EQ(assigned_targets(), 11u) << "what the sender had is not sent again";
  finish(at_sender);
  finish(without_room);
  EXPECT_TRUE(held->works.empty());
}

TEST_F(master_stage, a_work_that_finished_while_the_master_was_down_is_forgotten) {
  add_job(1, 10);
  grant(10);
  const auto of = assigned(0).at(0);
  crash(under_test);
  run();
  finish(of); // the message goes to the dead one
  start_master();
  advance(500ms);
  EXPECT_TRUE(held->works.empty());
}

TEST_F(master_stage, a_successor_returns_the_room_of_a_claim_that_never_came_back) {
  add_job(1, 10);
  store.hold();
  grant(25);
  crash(under_test);
  run();
  EXPECT_EQ(returned(), 0);
  start_master();
  EXPECT_EQ(returned(), 25);
  store.let_go();
  run();
  EXPECT_EQ(returned(), 25) << "once";
}

TEST_F(master_stage, a_store_that_throws_costs_no_room) {
  add_job(1, 10);
  store.throw_next(store_call::claim);
  grant(25);
  EXPECT_FALSE(is_alive(under_test));
  start_master();
  EXPECT_EQ(returned(), 25);
  grant(25);
  EXPECT_EQ(assigned_targets(), 10u);
}

TEST_F(master_stage, a_new_credit_actor_is_asked_anew) {
  const auto before = requests();
  peers.room = nullptr;
  publish();
  auto successor = std::make_shared<credit_inbox>();
  peers.room = probe<credit>(successor);
  publish();
  EXPECT_EQ(requests(), before);
  EXPECT_EQ(successor->all<credit_request>().size(), 1u);
}

TEST_F(master_stage, a_drain_claims_nothing_more_and_keeps_the_leases_of_what_is_under_way) {
  add_job(1, 30);
  grant(10);
  EXPECT_TRUE(*ask_drain(under_test));
  grant(10);
  EXPECT_EQ(store.claims.size(), 1u);
  const auto asked = requests();
  tell(work_hint{});
  EXPECT_EQ(requests(), asked);
  for (int i = 0; i < 60; ++i)
    advance(500ms);
  EXPECT_EQ(store.ledger.expired(), 0u);
}

TEST_F(master_stage, a_drain_gives_back_what_a_claim_under_way_brings) {
  add_job(1, 30);
  store.hold();
  grant(30);
  const auto done = ask_drain(under_test);
  EXPECT_FALSE(*done);
  store.let_go();
  run();
  EXPECT_TRUE(*done);
  EXPECT_EQ(assigned_targets(), 0u);
  EXPECT_EQ(store.ledger.leased(), 0u);
}

// --- what goes back

TEST_F(master_stage, releases_what_its_senders_return) {
  add_job(1, 10);
  grant(20);
  const auto of = assigned(0).at(0);
  tell(works_returned{{of}});
  ASSERT_EQ(store.releases.size(), 1u);
  EXPECT_EQ(store.releases[0].at(0).key, of->key);
  EXPECT_TRUE(held->works.empty());
  EXPECT_EQ(store.ledger.leased(), 0u);
  tell(works_returned{{of}});
  EXPECT_EQ(store.releases.size(), 1u) << "once";
}

TEST_F(master_stage, a_release_that_fails_is_tried_again) {
  add_job(1, 10);
  grant(20);
  store.fail(store_call::release);
  tell(works_returned{{assigned(0).at(0)}});
  EXPECT_EQ(store.ledger.leased(), 1u);
  advance(500ms);
  EXPECT_EQ(store.releases.size(), 2u);
  store.heal();
  advance(500ms);
  EXPECT_EQ(store.ledger.leased(), 0u);
  advance(5s);
  EXPECT_EQ(store.releases.size(), 3u);
}

TEST_F(master_stage, what_waits_for_a_destination_that_opens_is_released) {
  tell(direct_works{{direct_work(1)}});
  tell(direct_works{{direct_work(2, apns_sandbox)}});
  tell(destination_changed{apns_production, breaker_state::open, 0, false, false});
  EXPECT_EQ(held->works.size(), 1u);
  tell(direct_works{{direct_work(3)}});
  EXPECT_EQ(held->works.size(), 1u) << "what comes later too";
  EXPECT_EQ(store.ledger.leased(), 1u);
  tell(destination_changed{apns_production, breaker_state::ramping, 2, false, false});
  tell(direct_works{{direct_work(4)}});
  EXPECT_EQ(held->works.size(), 2u);
  EXPECT_TRUE(last_request().claim) << "what was released is looked for";
}

TEST_F(master_stage, the_probes_work_is_assigned_all_the_same) {
  add_job(1, 10);
  tell(destination_changed{apns_production, breaker_state::probing, 0, false, false});
  tell(credit_grant{{{0, apns_production, 5, 77}}, true});
  EXPECT_EQ(assigned(0).size(), 1u);
  for (const auto& message : room->all<credit_return>())
    for (const auto& share : message.shares)
      EXPECT_EQ(share.probe, 0u) << "it was used";
}

TEST_F(master_stage, a_probe_that_finds_nothing_comes_back_as_one) {
  tell(destination_changed{apns_production, breaker_state::probing, 0, false, false});
  tell(credit_grant{{{0, apns_production, 5, 77}}, true});
  const auto& returns = room->all<credit_return>();
  ASSERT_EQ(returns.size(), 1u);
  EXPECT_EQ(returns[0].shares.at(0).probe, 77u);
  EXPECT_EQ(returns[0].shares.at(0).targets, 5);
}

TEST_F(master_stage, room_that_comes_during_a_claim_is_used_by_the_next) {
  add_job(1, 10);
  store.hold(store_call::claim);
  grant(20, 0, apns_sandbox);
  tell(credit_grant{{{0, apns_production, 5, 77}}, true});
  store.let_go();
  run();
  EXPECT_EQ(assigned(0).size(), 1u);
  EXPECT_EQ(store.claims.size(), 2u);
}

TEST_F(master_stage, what_waits_during_a_claim_gets_the_probes_room) {
  add_job(1, 10, 10, apns_sandbox);
  store.hold(store_call::claim);
  grant(20, 0, apns_sandbox);
  const auto waiting = direct_work(2);
  tell(direct_works{{waiting}});
  tell(destination_changed{apns_production, breaker_state::probing, 0, false, false});
  EXPECT_TRUE(held->works.contains(waiting.get())) << "it may be the probe";
  tell(credit_grant{{{1, apns_production, 5, 77}}, false});
  store.let_go();
  run();
  EXPECT_EQ(assigned(1), std::vector{waiting});
}

TEST_F(master_stage, paused_works_are_called_back_or_released) {
  const auto job = add_job(1, 10);
  grant(20);
  tell(direct_works{{direct_work(2)}});
  store.ledger.pause(job);
  store.ledger.pause(job_number(2));
  advance(500ms);
  const auto& called = senders[0]->all<return_works>();
  ASSERT_EQ(called.size(), 1u);
  EXPECT_EQ(called[0].works.at(0)->key.job, job);
  EXPECT_EQ(held->works.size(), 1u) << "the waiting one is released";
  EXPECT_EQ(senders[0]->all<extend_leases>().back().master, 0u);
}

} // namespace
} // namespace signalbox
