#include "actors/outcome_batcher.hpp"
#include "tests/support/builders.hpp"
#include "tests/support/caf_fixture.hpp"
#include "tests/support/fake_store.hpp"

#include <map>

namespace signalbox {
namespace {

using namespace std::chrono_literals;

class batcher_stage : public caf_fixture {
protected:
  using sender_inbox = inbox<reports_committed>;

  struct reporting_sender {
    std::shared_ptr<sender_inbox> box = std::make_shared<sender_inbox>();
    signalbox::sender actor;
    std::uint64_t last = 0;

    // The newest report that is durable.
    std::uint64_t committed() const {
      return box->all<reports_committed>().empty() ? 0
                                                   : box->all<reports_committed>().back().number;
    }
  };

  void SetUp() override {
    for (auto* each : {&first, &second})
      each->actor = probe<signalbox::sender>(each->box);
  }

  void start_batcher(std::size_t flush_size = 100, std::chrono::milliseconds interval = 20ms) {
    outcome_batcher_options options;
    options.lane = "push";
    options.flush_size = flush_size;
    options.flush_interval = interval;
    under_test = start<outcome_batcher_actor>(
      mailbox, std::ref<job_store>(store), std::cref<wall_clock>(clock),
      std::make_shared<token_guard>("push", board), counters, options);
  }

  // A job in one chunk, claimed.
  work_ptr claimed_work(std::uint64_t n, std::size_t targets) {
    return store.ledger.commit({token_job(n, targets, clock.now()), true}, 1h).taken.at(0);
  }

  static outcome_batch accepted(const work_ptr& of, std::uint32_t first, std::uint32_t count) {
    outcome_batch batch{of, {}, {}, timestamp{1'700'000'000'000ms}};
    for (std::uint32_t i = 0; i < count; ++i)
      batch.accepted.push_back(first + i);
    return batch;
  }

  outcome_batch rejected(const work_ptr& of, std::uint32_t first, std::uint32_t count,
                         invalidation invalidate) const {
    outcome_batch batch{of, {}, {}, clock.now()};
    for (auto position = first; position < first + count; ++position) {
      outcome one;
      one.token = of->targets.at(position).id;
      one.index = of->targets.at(position).index;
      one.invalidate = invalidate;
      batch.others.push_back(one);
    }
    return batch;
  }

  // Something was accepted there.
  void prove() { report(first, {accepted(claimed_work(99, 1), 0, 1)}); }

  void report(reporting_sender& from, std::vector<outcome_batch> batches, bool pressing = false) {
    anon_send_urgent(under_test, report_outcomes{caf::actor_cast<caf::strong_actor_ptr>(from.actor),
                                                 ++from.last, pressing, std::move(batches)});
    run();
  }

  std::size_t flushes() const { return store.calls(store_call::flush); }

  std::shared_ptr<mailbox_stats> mailbox = std::make_shared<mailbox_stats>();
  breaker_board board;
  std::shared_ptr<lane_counters> counters = std::make_shared<lane_counters>();
  fake_store store{clock};
  outcome_batcher under_test;
  reporting_sender first;
  reporting_sender second;
};

TEST_F(batcher_stage, flushes_at_the_interval) {
  start_batcher();
  const auto of = claimed_work(1, 10);
  report(first, {accepted(of, 0, 4)});
  advance(10ms);
  report(second, {accepted(of, 4, 4)});
  advance(9ms);
  EXPECT_EQ(flushes(), 0u);
  advance(1ms);
  EXPECT_EQ(flushes(), 1u);
  EXPECT_EQ(store.ledger.account_of(of->key.job).counts.accepted, 8);
  EXPECT_EQ(first.committed(), 1u);
  EXPECT_EQ(second.committed(), 1u);
}

TEST_F(batcher_stage, flushes_at_its_size) {
  start_batcher(100);
  const auto of = claimed_work(1, 1'000);
  report(first, {accepted(of, 0, 60)});
  EXPECT_EQ(flushes(), 0u);
  report(first, {accepted(of, 60, 40)});
  EXPECT_EQ(flushes(), 1u);
  EXPECT_EQ(first.committed(), 2u);
}

TEST_F(batcher_stage, flushes_at_once_when_a_window_presses) {
  start_batcher();
  const auto of = claimed_work(1, 10);
  report(first, {accepted(of, 0, 1)}, true);
  EXPECT_EQ(flushes(), 1u);
}

TEST_F(batcher_stage, one_flush_at_a_time_and_what_is_too_much_stays_in_the_mailbox) {
  start_batcher();
  const auto of = claimed_work(1, 1'000);
  store.hold();
  report(first, {accepted(of, 0, 1)}, true);
  for (std::uint32_t i = 1; i < 10; ++i)
    report(first, {accepted(of, i * 50, 50)}, true);
  EXPECT_EQ(store.waiting(), 1u);
  EXPECT_EQ(first.committed(), 0u) << "nothing is durable yet";
  store.step();
  run();
  EXPECT_EQ(first.committed(), 1u);
  ASSERT_EQ(store.flushes.size(), 2u);
  EXPECT_EQ(store.flushes[1].size(), 1u) << "one batch for each work";
  EXPECT_EQ(store.flushes[1][0].accepted.size(), 100u);
  EXPECT_EQ(mailbox->depth, 5) << "a batch is under way, another one waits";
  store.let_go();
  run();
  EXPECT_EQ(first.committed(), 10u);
  EXPECT_EQ(mailbox->depth, 0);
}

TEST_F(batcher_stage, an_interval_of_0_flushes_each_report) {
  start_batcher(100, 0ms);
  const auto of = claimed_work(1, 10);
  report(first, {accepted(of, 0, 1)});
  report(first, {accepted(of, 1, 1)});
  EXPECT_EQ(flushes(), 2u);
}

TEST_F(batcher_stage, a_failed_flush_is_repeated_before_anything_newer) {
  start_batcher();
  const auto of = claimed_work(1, 100);
  store.fail(store_call::flush);
  report(first, {accepted(of, 0, 10)}, true);
  for (std::uint32_t i = 1; i < 10; ++i) {
    report(first, {accepted(of, i * 10, 10)}, true);
    advance(500ms);
  }
  for (const auto& flush : store.flushes) {
    ASSERT_EQ(flush.size(), 1u);
    EXPECT_EQ(flush[0].accepted.size(), 10u) << "the same one each time";
  }
  EXPECT_EQ(first.committed(), 0u);
  store.heal();
  advance(2s);
  EXPECT_EQ(first.committed(), 10u);
  EXPECT_EQ(store.ledger.account_of(of->key.job).counts.accepted, 100);
  EXPECT_EQ(store.ledger.account_of(of->key.job).status, job_status::completed);
  EXPECT_EQ(first.box->all<reports_committed>()[0].number, 1u) << "in order";
}

TEST_F(batcher_stage, the_wait_after_a_failure_doubles) {
  start_batcher();
  const auto of = claimed_work(1, 100);
  report(second, {accepted(of, 99, 1)}); // leaves a timer of the interval behind
  store.fail(store_call::flush);
  report(first, {accepted(of, 0, 10)}, true);
  std::vector<std::size_t> in_each_half_second;
  for (int i = 0; i < 20; ++i) {
    const auto before = flushes();
    for (int ms = 0; ms < 500; ms += 10)
      advance(10ms);
    in_each_half_second.push_back(flushes() - before);
  }
  // 50, 100, 200, 400, 800, 1600, then every 2000 ms
  EXPECT_EQ(in_each_half_second[0], 3u);
  EXPECT_LE(flushes(), 11u);
  EXPECT_GE(flushes(), 9u);
}

// Issue 2: the store fails for 5 s (disk full, locked) during flushes.
TEST_F(batcher_stage, an_outage_of_5_seconds_loses_nothing) {
  start_batcher();
  const auto of = claimed_work(1, 1'000);
  std::uint32_t next = 0;
  const auto send_some = [&](int times) {
    for (int i = 0; i < times; ++i) {
      report(i % 2 == 0 ? first : second, {accepted(of, next, 20)}, i % 3 == 0);
      next += 20;
      advance(100ms);
    }
  };
  send_some(5);
  store.fail(store_call::flush, errc::disk_full);
  send_some(25);
  advance(2'500ms);
  const auto durable = store.ledger.account_of(of->key.job).counts.accepted;
  EXPECT_LE(durable, 100);
  store.heal();
  send_some(20);
  advance(2s);
  EXPECT_EQ(store.ledger.account_of(of->key.job).counts.accepted, 1'000);
  EXPECT_EQ(store.ledger.account_of(of->key.job).status, job_status::completed);
  EXPECT_EQ(first.committed(), first.last);
  EXPECT_EQ(second.committed(), second.last);
}

TEST_F(batcher_stage, tries_the_completion_of_jobs_after_their_flush) {
  start_batcher();
  const auto one = claimed_work(1, 1);
  const auto two = claimed_work(2, 2);
  store.hold();
  report(first, {accepted(one, 0, 1), accepted(two, 0, 1)}, true);
  store.step();
  run();
  EXPECT_EQ(store.ledger.account_of(one->key.job).status, job_status::in_progress);
  store.let_go();
  run();
  EXPECT_EQ(store.ledger.account_of(one->key.job).status, job_status::completed);
  EXPECT_EQ(store.ledger.account_of(two->key.job).status, job_status::in_progress);
}

TEST_F(batcher_stage, outcomes_of_an_activity_make_the_planner_look_whatever_else_is_flushed) {
  start_batcher();
  const auto plans = std::make_shared<inbox<work_hint>>();
  auto peers = std::make_shared<lane_peers>();
  peers->plan = probe<planner>(plans);
  anon_send_urgent(under_test, peers_changed{std::move(peers)});
  run();
  const auto push = claimed_work(1, 2);
  report(first, {accepted(push, 0, 1)});
  advance(20ms);
  EXPECT_TRUE(plans->all<work_hint>().empty()) << "no turn waits for a push";
  auto context = std::make_shared<job_context>(*push->job);
  context->activity.emplace();
  auto update = std::make_shared<work>(*claimed_work(2, 1));
  update->job = std::move(context);
  report(first, {accepted(update, 0, 1)});
  report(first, {accepted(push, 1, 1)});
  advance(20ms);
  EXPECT_EQ(plans->all<work_hint>().size(), 1u);
}

TEST_F(batcher_stage, a_completion_that_failed_is_the_sweepers) {
  start_batcher();
  const auto one = claimed_work(1, 1);
  store.fail(store_call::complete);
  report(first, {accepted(one, 0, 1)}, true);
  EXPECT_EQ(first.committed(), 1u);
  store.heal();
  const auto two = claimed_work(2, 1);
  report(first, {accepted(two, 0, 1)}, true);
  EXPECT_EQ(store.ledger.account_of(two->key.job).status, job_status::completed);
  store.ledger.sweep({"push", 1'000});
  EXPECT_EQ(store.ledger.account_of(one->key.job).status, job_status::completed);
}

TEST_F(batcher_stage, a_storm_of_bad_tokens_does_not_invalidate_the_token_base) {
  start_batcher(100, 0ms);
  prove();
  const auto of = claimed_work(1, 900);
  for (std::uint32_t i = 0; i < 9; ++i)
    report(first, {rejected(of, i * 100, 100, invalidation::bad_token)});
  EXPECT_EQ(store.ledger.invalidated().size(), 100u);
  EXPECT_EQ(store.ledger.account_of(of->key.job).counts.rejected, 900);
  advance(61s);
  const auto later = claimed_work(2, 1);
  report(first, {rejected(later, 0, 1, invalidation::bad_token)});
  EXPECT_EQ(store.ledger.invalidated().size(), 101u) << "the storm is over";
}

TEST_F(batcher_stage, one_destinations_storm_is_not_anothers) {
  start_batcher(100, 0ms);
  prove();
  const auto of = claimed_work(1, 900);
  report(first, {rejected(of, 0, 900, invalidation::bad_token)});
  const auto other =
    store.ledger.commit({token_job(2, 2, clock.now(), apns_sandbox), true}, 1h).taken.at(0);
  auto mixed = rejected(other, 0, 1, invalidation::bad_token);
  mixed.accepted.push_back(1);
  report(first, {std::move(mixed)});
  EXPECT_EQ(store.ledger.invalidated().size(), 101u);
}

TEST_F(batcher_stage, what_was_blamed_before_anything_was_accepted_is_invalidated_after_it) {
  start_batcher(100, 0ms);
  const auto of = claimed_work(1, 200);
  report(first, {rejected(of, 0, 50, invalidation::bad_token)});
  EXPECT_TRUE(store.ledger.invalidated().empty()) << "the topic is wrong, not 50 tokens";
  auto mixed = rejected(of, 50, 5, invalidation::bad_token);
  mixed.accepted.push_back(60);
  report(first, {std::move(mixed)});
  EXPECT_EQ(store.ledger.invalidated().size(), 5u + 45u) << "100 a minute at most";
  EXPECT_EQ(store.ledger.account_of(of->key.job).counts.rejected, 55);
}

TEST_F(batcher_stage, so_it_is_where_several_reports_of_the_work_share_a_flush) {
  start_batcher();
  const auto of = claimed_work(1, 20);
  report(first, {rejected(of, 0, 5, invalidation::bad_token)});
  report(second, {accepted(of, 10, 1)});
  advance(20ms);
  EXPECT_EQ(flushes(), 1u);
  EXPECT_EQ(store.ledger.invalidated().size(), 5u);
}

TEST_F(batcher_stage, credentials_that_were_read_again_have_to_prove_themselves) {
  start_batcher(100, 0ms);
  const auto of = claimed_work(1, 200);
  report(first, {accepted(of, 0, 1)});
  anon_send_urgent(under_test, reset_breakers{apns_production, breaker_kind::configuration});
  run();
  report(first, {rejected(of, 1, 50, invalidation::bad_token)});
  EXPECT_TRUE(store.ledger.invalidated().empty());
}

TEST_F(batcher_stage, unregistered_tokens_are_no_storm) {
  start_batcher(100, 0ms);
  const auto of = claimed_work(1, 900);
  report(first, {rejected(of, 0, 900, invalidation::unregistered)});
  EXPECT_EQ(store.ledger.invalidated().size(), 900u);
}

TEST_F(batcher_stage, a_drain_flushes_at_once_and_waits_for_it) {
  start_batcher();
  const auto of = claimed_work(1, 20);
  store.hold();
  report(first, {accepted(of, 0, 10)});
  const auto done = ask_drain(under_test);
  EXPECT_EQ(store.waiting(), 1u);
  EXPECT_FALSE(*done);
  report(first, {accepted(of, 10, 10)});
  store.step();
  run();
  EXPECT_FALSE(*done) << "more came";
  store.let_go();
  run();
  EXPECT_TRUE(*done);
  EXPECT_EQ(first.committed(), 2u);
  EXPECT_EQ(store.ledger.account_of(of->key.job).status, job_status::completed);
}

TEST_F(batcher_stage, a_drain_waits_for_a_completion_under_way) {
  start_batcher();
  const auto of = claimed_work(1, 1);
  store.hold(store_call::complete);
  report(first, {accepted(of, 0, 1)}, true);
  ASSERT_EQ(store.waiting(), 1u);
  const auto done = ask_drain(under_test);
  EXPECT_FALSE(*done);
  store.let_go();
  run();
  EXPECT_TRUE(*done);
  EXPECT_EQ(store.ledger.account_of(of->key.job).status, job_status::completed);
}

TEST_F(batcher_stage, a_drain_repeats_a_flush_that_fails) {
  start_batcher();
  const auto of = claimed_work(1, 20);
  store.fail(store_call::flush);
  report(first, {accepted(of, 0, 20)});
  const auto done = ask_drain(under_test);
  advance(1s);
  EXPECT_FALSE(*done);
  store.heal();
  advance(2s);
  EXPECT_TRUE(*done);
}

TEST_F(batcher_stage, an_idle_batcher_is_drained_at_once) {
  start_batcher();
  EXPECT_TRUE(*ask_drain(under_test));
}

TEST_F(batcher_stage, a_store_that_throws_crashes_it_with_nothing_acknowledged) {
  start_batcher();
  const auto of = claimed_work(1, 20);
  store.throw_next(store_call::flush);
  report(first, {accepted(of, 0, 20)}, true);
  EXPECT_FALSE(is_alive(under_test));
  EXPECT_EQ(first.committed(), 0u);
}

TEST_F(batcher_stage, counts_what_was_flushed_once) {
  start_batcher();
  const auto of = claimed_work(1, 5);
  auto failures = rejected(of, 3, 2, invalidation::none);
  failures.others[0].status = outcome_status::retry;
  failures.others[1].dead_letter = true;
  store.fail(store_call::flush);
  report(first, {accepted(of, 0, 3), failures}, true);
  EXPECT_EQ(counters->of(outcome_status::accepted), 0u) << "not durable yet";
  store.heal();
  advance(100ms);
  EXPECT_EQ(counters->of(outcome_status::accepted), 3u);
  EXPECT_EQ(counters->of(outcome_status::retry), 1u);
  EXPECT_EQ(counters->of(outcome_status::rejected), 1u);
  EXPECT_EQ(counters->dead_letters, 1u);
}

TEST_F(batcher_stage, a_storm_leaves_the_board_when_it_is_over_or_reset) {
  start_batcher();
  report(first, {rejected(claimed_work(1, 150), 0, 150, invalidation::bad_token)});
  ASSERT_EQ(board.list().size(), 1u);
  anon_send_urgent(under_test, reset_breakers{std::nullopt, breaker_kind::outage});
  run();
  EXPECT_EQ(board.list().size(), 1u);
  anon_send_urgent(under_test, reset_breakers{std::nullopt, std::nullopt});
  run();
  EXPECT_TRUE(board.list().empty());
  report(first, {rejected(claimed_work(2, 150), 0, 150, invalidation::bad_token)});
  EXPECT_EQ(board.list().size(), 1u);
  for (int i = 0; i < 13; ++i)
    advance(5s);
  EXPECT_TRUE(board.list().empty()) << "without any traffic";
}

} // namespace
} // namespace signalbox
