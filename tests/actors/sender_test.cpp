#include "tests/actors/sender_stage.hpp"

#include <rapidcheck/gtest.h>

#include <random>
#include <set>

namespace signalbox {
namespace {

using namespace std::chrono_literals;

TEST_F(sender_stage, a_slot_frees_only_when_its_outcome_is_committed) {
  start_sender(10);
  assign({work_builder(1).targets(25).build()});
  EXPECT_EQ(submitted(), 10u);
  answer(10);
  EXPECT_EQ(submitted(), 10u) << "answered is not committed";
  commit_all();
  EXPECT_EQ(submitted(), 20u);
  answer(3);
  answer(7);
  commit(2);
  EXPECT_EQ(submitted(), 23u);
  commit(3);
  EXPECT_EQ(submitted(), 25u);
}

TEST_F(sender_stage, each_destination_has_a_window_of_its_own) {
  start_sender(10);
  assign(
    {work_builder(1).targets(30).build(), work_builder(2).to(apns_sandbox).targets(30).build()});
  EXPECT_EQ(submitted(), 20u);
}

TEST_F(sender_stage, a_finished_work_goes_to_the_master_that_assigned_it) {
  start_sender(10);
  const auto first = work_builder(1).targets(4).build();
  const auto second = work_builder(2).targets(4).build();
  assign({first}, 0);
  assign({second}, 1);
  answer(6);
  commit_all();
  EXPECT_EQ(finished_works(), (std::vector{first}));
  EXPECT_TRUE(finished_by_second->all<works_finished>().empty());
  answer(2);
  EXPECT_TRUE(finished_by_second->all<works_finished>().empty()) << "not yet committed";
  commit_all();
  ASSERT_EQ(finished_by_second->all<works_finished>().size(), 1u);
  EXPECT_EQ(finished_by_second->all<works_finished>()[0].works, (std::vector{second}));
}

TEST_F(sender_stage, committed_outcomes_give_their_room_back) {
  start_sender(10);
  assign({work_builder(1).targets(8).skipped(2).build(),
          work_builder(2).to(apns_sandbox).targets(3).build()});
  EXPECT_EQ(credit_returned(), 0);
  answer(11);
  EXPECT_EQ(credit_returned(), 0);
  commit_all();
  EXPECT_EQ(credit_returned(), 10);
  EXPECT_EQ(credit_returned(apns_sandbox), 3);
}

TEST_F(sender_stage, what_the_recheck_turned_away_is_reported_as_skipped) {
  start_sender(10);
  const auto only_skipped = work_builder(1).skipped(3, "unsubscribed").build();
  assign({only_skipped});
  EXPECT_EQ(submitted(), 0u);
  EXPECT_EQ(count(outcome_status::skipped), 3u);
  EXPECT_EQ(reports->all<report_outcomes>()[0].batches[0].others[0].reason, "unsubscribed");
  commit_all();
  EXPECT_EQ(finished_works(), (std::vector{only_skipped}));
}

TEST_F(sender_stage, unanswered_ones_of_a_working_provider_are_no_outage) {
  start_sender(40);
  assign({work_builder(1).targets(40).build()});
  for (const bool alive : {true, false}) {
    answer(20, [&](const auto&) -> std::optional<signalbox::answer> {
      auto passed_over = unknown_answer();
      passed_over.provider_alive = alive;
      return passed_over;
    });
    ASSERT_FALSE(reports->all<report_outcomes>().empty());
    for (const auto& each : reports->all<report_outcomes>().back().batches.at(0).others)
      EXPECT_EQ(each.attempts, alive ? 1 : 0);
    EXPECT_EQ(returns->all<destination_report>().size(), alive ? 0u : 1u);
  }
}

TEST_F(sender_stage, answers_become_outcomes) {
  start_sender(10);
  assign({work_builder(1).targets(5).build()});
  answer(5, [](const auto& request) -> std::optional<signalbox::answer> {
    switch (request.position) {
    case 0:
      return std::nullopt;
    case 1:
      return status_answer(400, "BadDeviceToken");
    case 2:
      return status_answer(503, "ServiceUnavailable");
    case 3:
      return unknown_answer();
    default:
      return unsent_answer();
    }
  });
  ASSERT_EQ(reports->all<report_outcomes>().size(), 1u);
  const auto& batch = reports->all<report_outcomes>()[0].batches.at(0);
  EXPECT_EQ(batch.accepted, (std::vector{0u}));
  EXPECT_EQ(batch.at, clock.now());
  ASSERT_EQ(batch.others.size(), 4u);
  EXPECT_EQ(batch.others[0].status, outcome_status::rejected);
  EXPECT_EQ(batch.others[0].reason, "BadDeviceToken");
  EXPECT_EQ(batch.others[0].invalidate, invalidation::bad_token);
  for (std::size_t i = 1; i < 4; ++i)
    EXPECT_EQ(batch.others[i].status, outcome_status::retry);
  EXPECT_EQ(batch.others[1].attempts, 1);
  EXPECT_EQ(batch.others[3].attempts, 0) << "it never left";
}

TEST_F(sender_stage, half_a_window_awaiting_its_commit_is_pressing) {
  start_sender(10);
  assign({work_builder(1).targets(20).build()});
  answer(4);
  EXPECT_FALSE(reports->all<report_outcomes>().back().pressing);
  answer(1);
  EXPECT_TRUE(reports->all<report_outcomes>().back().pressing);
  commit_all();
  answer(4);
  EXPECT_FALSE(reports->all<report_outcomes>().back().pressing);
}

// A window of 256, and slices of 64: two large works and one of one target share it.
TEST_F(sender_stage, a_small_work_waits_for_a_slice_of_each_other_one_at_most) {
  start_sender(256);
  const auto large = work_builder(1).targets(1'000).build();
  const auto other = work_builder(2).targets(1'000).build();
  const auto small = work_builder(3).targets(1).build();
  assign({large});
  EXPECT_EQ(submitted_of(large), 256u);
  assign({other});
  assign({small});
  std::size_t freed = 0;
  while (submitted_of(small) == 0) {
    ASSERT_LT(freed, 1'000u);
    answer(1);
    commit_all();
    ++freed;
  }
  EXPECT_LE(freed, 64u + 64u + 1u);
  EXPECT_GT(submitted_of(other), 0u);
}

TEST_F(sender_stage, no_work_takes_more_than_a_slice_of_what_one_commit_frees) {
  start_sender(256);
  const auto large = work_builder(1).targets(1'000).build();
  const auto other = work_builder(2).targets(1'000).build();
  const auto small = work_builder(3).targets(1).build();
  assign({large});
  assign({other, small});
  answer(256);
  commit_all();
  EXPECT_EQ(submitted_of(small), 1u);
  EXPECT_LE(submitted_of(large), 256u + 2 * 64);
}

TEST_F(sender_stage, works_that_share_a_window_get_equal_shares) {
  start_sender(128);
  const auto large = work_builder(1).targets(1'000).build();
  const auto other = work_builder(2).targets(1'000).build();
  assign({large, other});
  for (int i = 0; i < 8; ++i) {
    answer(128);
    commit_all();
  }
  EXPECT_LE(submitted_of(large), submitted_of(other) + 128);
  EXPECT_LE(submitted_of(other), submitted_of(large) + 128);
}

TEST_F(sender_stage, nothing_is_submitted_past_the_lease) {
  start_sender(10);
  const auto leased = work_builder(1).targets(30).lease_until(clock.boot_now() + 5s).build();
  assign({leased});
  EXPECT_EQ(submitted(), 10u);
  advance(5s);
  answer(10);
  commit_all();
  EXPECT_EQ(submitted(), 10u);
  tell(extend_leases{{leased}, clock.boot_now() + 5s});
  EXPECT_EQ(submitted(), 20u);
}

TEST_F(sender_stage, a_work_without_a_lease_does_not_hold_up_others) {
  start_sender(10);
  const auto leased = work_builder(1).targets(30).lease_until(clock.boot_now() + 5s).build();
  assign({leased});
  advance(5s);
  const auto other = work_builder(2).targets(3).build();
  assign({other});
  answer(10);
  commit_all();
  EXPECT_EQ(submitted_of(other), 3u);
}

TEST_F(sender_stage, past_the_deadline_of_the_job_the_rest_expires) {
  start_sender(10);
  const auto late = work_builder(1).targets(30).expires_at(clock.now() + 5s).build();
  assign({late});
  answer(10);
  advance(5s);
  commit_all();
  EXPECT_EQ(submitted(), 10u);
  EXPECT_EQ(count(outcome_status::accepted), 10u);
  EXPECT_EQ(count(outcome_status::expired), 20u);
  commit_all();
  EXPECT_EQ(finished_works(), (std::vector{late}));
}

TEST_F(sender_stage, a_stopped_job_is_skipped_from_where_it_is) {
  start_sender(10);
  const auto stopped = work_builder(1).targets(30).build();
  const auto other = work_builder(2).targets(30).build();
  assign({stopped, other});
  tell(job_stopped{job_number(1), "cancelled"});
  EXPECT_EQ(count(outcome_status::skipped), 20u);
  answer(4);
  commit_all(); // frees slots while the rest of it is under way
  answer(6);
  commit_all();
  EXPECT_EQ(count(outcome_status::accepted), 10u);
  EXPECT_EQ(submitted_of(stopped), 10u);
  EXPECT_EQ(submitted_of(other), 10u);
  EXPECT_EQ(finished_works(), (std::vector{stopped}));
}

TEST_F(sender_stage, a_job_that_expired_is_told_as_expired) {
  start_sender(10);
  assign({work_builder(1).targets(30).build()});
  tell(job_stopped{job_number(1), "expired"});
  EXPECT_EQ(count(outcome_status::expired), 20u);
  answer(4);
  commit_all();
  EXPECT_EQ(transport->submissions.size(), 1u) << "nothing is left to submit, not even 0 targets";
}

TEST_F(sender_stage, a_dropped_work_is_neither_submitted_nor_reported) {
  start_sender(10);
  const auto lost = work_builder(1).targets(30).build();
  const auto other = work_builder(2).to(apns_sandbox).targets(5).build();
  assign({lost});
  answer(4);
  tell(drop_works{{lost}});
  EXPECT_EQ(credit_returned(), 30) << "all of it: nothing was committed";
  assign({other});
  answer(6);
  EXPECT_EQ(outcomes().size(), 4u);
  EXPECT_EQ(submitted_of(lost), 10u);
  answer(5);
  commit_all();
  EXPECT_EQ(finished_works(), (std::vector{other}));
  EXPECT_EQ(credit_returned(), 30) << "not twice";
}

TEST_F(sender_stage, answers_to_dropped_works_free_their_slots) {
  start_sender(10);
  const auto lost = work_builder(1).targets(30).build();
  const auto lost_too = work_builder(2).to(apns_sandbox).targets(30).build();
  assign({lost, lost_too});
  tell(drop_works{{lost, lost_too}});
  const auto next = work_builder(3).targets(30).build();
  const auto next_too = work_builder(4).to(apns_sandbox).targets(30).build();
  assign({next, next_too});
  EXPECT_EQ(submitted(), 20u);
  answer(20); // of both destinations, in one message
  EXPECT_EQ(submitted_of(next), 10u);
  EXPECT_EQ(submitted_of(next_too), 10u);
}

TEST_F(sender_stage, reports_go_again_to_a_new_batcher) {
  start_sender(10);
  const auto of = work_builder(1).targets(10).build();
  assign({of});
  answer(2);
  answer(3);
  commit(1);
  peers.outcomes = nullptr;
  publish();
  answer(4);
  auto successor = std::make_shared<batcher_inbox>();
  peers.outcomes = probe<outcome_batcher>(successor);
  publish();
  std::vector<std::uint64_t> numbers;
  for (const auto& report : successor->all<report_outcomes>())
    numbers.push_back(report.number);
  EXPECT_EQ(numbers, (std::vector<std::uint64_t>{2, 3}));
  EXPECT_EQ(successor->all<report_outcomes>()[1].batches[0].accepted.size(), 4u);
  answer(1);
  commit(4);
  EXPECT_EQ(finished_works(), (std::vector{of}));
}

TEST_F(sender_stage, a_new_credit_actor_hears_what_is_held) {
  start_sender(10);
  assign(
    {work_builder(1).targets(25).build(), work_builder(2).to(apns_sandbox).targets(4).build()});
  answer(10);
  commit_all();
  auto successor = std::make_shared<credit_inbox>();
  peers.room = probe<credit>(successor);
  publish();
  ASSERT_EQ(successor->all<credit_used>().size(), 1u);
  std::map<destination, std::int64_t> held;
  for (const auto& share : successor->all<credit_used>()[0].shares)
    held[share.dest] = share.targets;
  EXPECT_EQ(held[apns_production], 15);
  EXPECT_EQ(held[apns_sandbox], 4);
}

TEST_F(sender_stage, the_same_assignment_twice_is_sent_once) {
  start_sender(10);
  const auto of = work_builder(1).targets(5).build();
  assign({of});
  assign({of});
  EXPECT_EQ(submitted(), 5u);
  auto successor = std::make_shared<credit_inbox>();
  peers.room = probe<credit>(successor);
  publish();
  EXPECT_EQ(successor->all<credit_used>().at(0).shares.at(0).targets, 5) << "and held once";
}

TEST_F(sender_stage, a_drain_lets_what_is_under_way_come_home) {
  start_sender(10);
  assign({work_builder(1).targets(30).build()});
  const auto done = ask_drain(under_test);
  EXPECT_TRUE(transport->stopped);
  EXPECT_FALSE(*done);
  assign({work_builder(2).targets(5).skipped(1).build()});
  answer(4);
  commit_all();
  EXPECT_EQ(submitted(), 10u) << "nothing new";
  EXPECT_FALSE(*done);
  answer(6);
  EXPECT_TRUE(*done);
  EXPECT_EQ(count(outcome_status::accepted), 10u) << "and is reported";
  EXPECT_EQ(outcomes().size(), 10u) << "and nothing else";
}

TEST_F(sender_stage, a_crash_closes_its_connections) {
  start_sender(10);
  assign({work_builder(1).targets(30).build()});
  crash(under_test);
  run();
  EXPECT_TRUE(transport->stopped);
  answer(10); // to nobody
}

TEST_F(sender_stage, a_transport_that_throws_crashes_it) {
  start_sender(10);
  transport->throw_next_submit();
  assign({work_builder(1).targets(30).build()});
  EXPECT_FALSE(is_alive(under_test));
  EXPECT_TRUE(transport->stopped);
}

// Whatever answers and commits come, in whatever order: never more than a window submitted and not
// committed, each target submitted once and reported once, and all of them in the end.
RC_GTEST_FIXTURE_PROP(sender_stage, never_exceeds_its_window, ()) {
  const auto window = *rc::gen::inRange<std::size_t>(1, 200);
  start_sender(window);
  std::mt19937 random{*rc::gen::arbitrary<unsigned>()};
  const auto below = [&](std::size_t end) {
    return std::uniform_int_distribution<std::size_t>{0, end - 1}(random);
  };
  const std::vector dests{apns_production, apns_sandbox};
  std::vector<work_ptr> works;
  std::uint64_t committed = 0;
  const auto in_use = [&](const destination& dest) {
    std::size_t slots = 0;
    for (const auto& each : transport->submissions)
      slots += each.of->dest == dest ? each.count : 0;
    for (const auto& report : reports->all<report_outcomes>())
      if (report.number <= committed)
        for (const auto& batch : report.batches)
          if (batch.of->dest == dest)
            slots -= batch.size();
    return slots;
  };
  const fake_transport::script how = [&](const auto&) -> std::optional<signalbox::answer> {
    const auto kind = below(10);
    return kind < 7    ? std::nullopt
           : kind == 7 ? std::optional{status_answer(503)}
           : kind == 8 ? std::optional{unknown_answer()}
                       : std::optional{unsent_answer()};
  };
  for (std::uint64_t step = 0; step < 120; ++step) {
    switch (below(4)) {
    case 0:
      works.push_back(work_builder(step + 1).to(dests[below(2)]).targets(1 + below(150)).build());
      assign({works.back()});
      break;
    case 1:
    case 2:
      answer(1 + below(window), how);
      break;
    default:
      committed += below(last_report() - committed + 1);
      commit(committed);
    }
    for (const auto& dest : dests)
      RC_ASSERT(in_use(dest) <= window);
  }
  do {
    answer(transport->open.size(), how);
    committed = last_report();
    commit(committed);
    for (const auto& dest : dests)
      RC_ASSERT(in_use(dest) <= window);
  } while (!transport->open.empty());
  std::set<target_key> once;
  std::size_t targets = 0;
  for (const auto& each : transport->submissions)
    for (std::uint32_t i = 0; i < each.count; ++i)
      RC_ASSERT(once.emplace(each.of.get(), each.first + i).second);
  for (const auto& each : works)
    targets += each->size();
  RC_ASSERT(once.size() == targets);
  RC_ASSERT(outcomes().size() == targets);
  RC_ASSERT(finished_works().size() == works.size());
  RC_ASSERT(credit_returned(apns_production) + credit_returned(apns_sandbox) ==
            static_cast<std::int64_t>(targets));
}

} // namespace
} // namespace signalbox
