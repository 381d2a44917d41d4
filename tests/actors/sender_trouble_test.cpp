#include "tests/actors/sender_stage.hpp"

namespace signalbox {
namespace {

using namespace std::chrono_literals;

class sender_in_trouble : public sender_stage {
protected:
  void change(breaker_state state, std::size_t limit, bool watch = true, bool success = false,
              const destination& dest = apns_production) {
    tell(destination_changed{dest, state, limit, watch, success});
  }

  // A work of a job that gives up on unknown, known to the store.
  work_ptr giving_up(std::uint64_t n, std::size_t targets) {
    auto job = token_job(n, targets, clock.now());
    job.options.on_unknown = unknown_policy::give_up;
    return store.ledger.commit({std::move(job), true}, 15s).taken.at(0);
  }

  // What the batcher would write, written.
  void flush_all() {
    for (const auto& report : reports->take<report_outcomes>()) {
      store.ledger.flush(report.batches);
      commit(report.number);
    }
  }

  static std::optional<signalbox::answer> unavailable(const fake_transport::request&) {
    return status_answer(503, "ServiceUnavailable");
  }
  static std::optional<signalbox::answer> refused(const fake_transport::request&) {
    return status_answer(403, "InvalidProviderToken");
  }

  std::vector<outcome> others() {
    std::vector<outcome> all;
    for (const auto& report : reports->all<report_outcomes>())
      for (const auto& batch : report.batches)
        all.insert(all.end(), batch.others.begin(), batch.others.end());
    return all;
  }
};

TEST_F(sender_in_trouble, nobody_is_told_of_anything_while_all_is_well) {
  start_sender(10);
  assign({work_builder(1).targets(10).build()});
  answer(10);
  EXPECT_TRUE(news().empty());
}

TEST_F(sender_in_trouble, tells_of_failures_and_of_the_success_that_ends_them) {
  start_sender(10);
  assign({work_builder(1).targets(10).build()});
  answer(3, unavailable);
  auto told = news();
  ASSERT_EQ(told.size(), 1u);
  EXPECT_EQ(told[0].sender, 3u);
  EXPECT_EQ(told[0].dest, apns_production);
  EXPECT_EQ(told[0].failures, 3u);
  EXPECT_EQ(told[0].reason, "ServiceUnavailable");
  EXPECT_FALSE(told[0].success);
  answer(1);
  told = news();
  ASSERT_EQ(told.size(), 1u);
  EXPECT_TRUE(told[0].success);
  EXPECT_EQ(told[0].failures, 0u);
  answer(1);
  EXPECT_TRUE(news().empty()) << "once";
  change(breaker_state::closed, 10, true); // another sender fails
  answer(1, [](const auto&) { return std::optional{status_answer(410, "Unregistered")}; });
  told = news();
  ASSERT_EQ(told.size(), 1u);
  EXPECT_TRUE(told[0].success) << "a provider that answers is alive";
}

TEST_F(sender_in_trouble, an_orderly_refusal_says_nothing_of_the_provider) {
  start_sender(10);
  assign({work_builder(1).targets(2).build()});
  change(breaker_state::closed, 10, true);
  answer(1, [](const auto&) { return std::optional{unsent_answer()}; });
  EXPECT_TRUE(news().empty());
}

TEST_F(sender_in_trouble, refused_credentials_are_told_with_their_targets) {
  start_sender(10);
  const auto of = work_builder(1).targets(2).build();
  assign({of});
  answer(2, refused);
  const auto told = news();
  ASSERT_EQ(told.size(), 1u);
  ASSERT_EQ(told[0].refused.size(), 2u);
  EXPECT_EQ(told[0].refused[1].token, of->targets[1].id);
  EXPECT_TRUE(told[0].refused[1].alone);
  EXPECT_FALSE(told[0].accepted);
  EXPECT_EQ(told[0].reason, "InvalidProviderToken");
  for (const auto& each : others()) {
    EXPECT_EQ(each.status, outcome_status::retry);
    EXPECT_EQ(each.attempts, 1) << "until the breaker opens";
  }
}

TEST_F(sender_in_trouble, a_refusal_with_a_success_since_its_request_left_is_not_alone) {
  start_sender(10);
  assign({work_builder(1).targets(20).build()});
  answer(1); // one of the first ten is accepted
  answer(1, refused);
  auto told = news();
  ASSERT_EQ(told.size(), 1u);
  EXPECT_FALSE(told[0].refused.at(0).alone);
  answer(8, refused);
  news();
  commit_all(); // the other ten leave
  answer(1, refused);
  told = news();
  ASSERT_EQ(told.size(), 1u);
  EXPECT_TRUE(told[0].refused.at(0).alone);
  transport->answer_next(2, [n = 0](const auto&) mutable {
    return n++ == 0 ? std::optional{status_answer(403, "InvalidProviderToken")} : std::nullopt;
  });
  run();
  told = news();
  ASSERT_EQ(told.size(), 1u);
  EXPECT_FALSE(told[0].refused.at(0).alone) << "they came together, in no known order";
  EXPECT_TRUE(told[0].accepted);
  answer(1);
  EXPECT_TRUE(news().empty());
}

TEST_F(sender_in_trouble,
       what_is_accepted_is_told_once_after_a_refusal_and_when_it_is_watched_for) {
  start_sender(10);
  assign({work_builder(1).targets(10).build()});
  change(breaker_state::closed, 10, true);
  answer(1, [](const auto&) { return std::optional{status_answer(413, "PayloadTooLarge")}; });
  auto told = news();
  ASSERT_EQ(told.size(), 1u);
  EXPECT_TRUE(told[0].success);
  EXPECT_FALSE(told[0].accepted) << "it says nothing of the credentials";
  answer(1);
  told = news();
  ASSERT_EQ(told.size(), 1u);
  EXPECT_TRUE(told[0].accepted);
  answer(1);
  EXPECT_TRUE(news().empty());
  answer(1, refused);
  news();
  answer(1, [](const auto&) { return std::optional{status_answer(410, "Unregistered")}; });
  told = news();
  ASSERT_EQ(told.size(), 1u);
  EXPECT_TRUE(told[0].accepted) << "who knows the target took the credentials";
}

TEST_F(sender_in_trouble, charges_of_refusals_are_taken_back_when_the_breaker_opens) {
  start_sender(10);
  const auto of = store.ledger.commit({token_job(1, 4, clock.now()), true}, 15s).taken.at(0);
  assign({of});
  answer(1, refused);
  answer(1);
  answer(1, refused);
  flush_all();
  change(breaker_state::open, 0);
  std::vector<retry_ref> refunded;
  for (const auto& call : store.refunds)
    refunded.insert(refunded.end(), call.begin(), call.end());
  ASSERT_EQ(refunded.size(), 1u) << "the first one was at fault itself";
  EXPECT_EQ(refunded[0].token, of->targets[2].id);
  answer(1, refused);
  EXPECT_EQ(others().back().attempts, 0) << "nothing is charged from now on";
}

TEST_F(sender_in_trouble, without_credentials_nothing_leaves_and_credit_is_told) {
  start_sender(10);
  assign({work_builder(1).targets(2).build()});
  answer(2, [](const auto&) {
    auto from = unsent_answer();
    from.reason = "no_credentials";
    return std::optional{from};
  });
  const auto told = news();
  ASSERT_EQ(told.size(), 1u);
  EXPECT_TRUE(told[0].misconfigured);
  EXPECT_TRUE(told[0].refused.empty());
  EXPECT_EQ(told[0].reason, "no_credentials");
}

TEST_F(sender_in_trouble, returns_what_it_has_not_submitted_once_the_rest_has_its_outcome) {
  start_sender(10);
  const auto begun = work_builder(1).targets(30).build();
  const auto waiting = work_builder(2).targets(5).build();
  const auto elsewhere = work_builder(3).to(apns_sandbox).targets(20).build();
  assign({begun, waiting, elsewhere});
  change(breaker_state::open, 0);
  EXPECT_THAT(returned_works(), ::testing::ElementsAre(waiting));
  EXPECT_EQ(credit_returned(), 5);
  answer(20, unavailable); // both windows
  EXPECT_EQ(returned_works().size(), 1u) << "nothing is durable yet";
  commit_all();
  EXPECT_THAT(returned_works(), ::testing::ElementsAre(waiting, begun));
  EXPECT_EQ(credit_returned(), 35) << "exactly what was held";
  EXPECT_EQ(submitted_of(begun), 10u);
  EXPECT_EQ(submitted_of(elsewhere), 20u) << "its destination is another";
  assign({work_builder(4).targets(5).build()});
  EXPECT_EQ(returned_works().size(), 3u) << "what was on its way";
  EXPECT_EQ(credit_returned(), 40);
}

TEST_F(sender_in_trouble, a_work_that_was_submitted_whole_is_finished_as_ever) {
  start_sender(10);
  const auto of = work_builder(1).targets(10).build();
  assign({of});
  change(breaker_state::open, 0);
  answer(10, unavailable);
  commit_all();
  EXPECT_TRUE(returned_works().empty());
  EXPECT_THAT(finished_works(), ::testing::ElementsAre(of));
}

TEST_F(sender_in_trouble, paused_works_go_back_and_others_go_on) {
  start_sender(10);
  const auto paused = work_builder(1).targets(30).skipped(2).build();
  const auto other = work_builder(2).targets(30).build();
  assign({paused, other});
  tell(return_works{{paused}});
  tell(return_works{{paused}}); // with the next renewal
  while (!transport->open.empty()) {
    answer(10);
    commit_all();
  }
  EXPECT_THAT(returned_works(), ::testing::ElementsAre(paused));
  EXPECT_THAT(finished_works(), ::testing::ElementsAre(other));
  EXPECT_EQ(credit_returned(), 62);
  EXPECT_LT(submitted_of(paused), 30u);
}

TEST_F(sender_in_trouble, an_extension_of_what_it_does_not_hold_is_returned) {
  start_sender(10);
  const auto of = work_builder(1).targets(1).build();
  tell(extend_leases{{of}, clock.boot_now() + 15s, 0});
  EXPECT_THAT(returned_works(), ::testing::ElementsAre(of)) << "its master missed that";
  EXPECT_EQ(credit_returned(), 0);
}

TEST_F(sender_in_trouble, failures_charged_since_the_last_success_are_refunded_once_durable) {
  start_sender(100);
  assign({work_builder(1).targets(30).build()});
  answer(1);
  answer(15, unavailable);
  answer(14, unavailable); // the run is 29 long: these open it, and charge nobody
  change(breaker_state::open, 0);
  EXPECT_TRUE(store.refunds.empty()) << "the retry rows are not there yet";
  commit_all();
  ASSERT_EQ(store.refunds.size(), 1u);
  EXPECT_EQ(store.refunds[0].size(), 15u);
  std::map<std::uint16_t, std::size_t> by_attempts;
  for (const auto& each : others())
    ++by_attempts[each.attempts];
  EXPECT_EQ(by_attempts, (std::map<std::uint16_t, std::size_t>{{0, 14}, {1, 15}}));
}

TEST_F(sender_in_trouble, a_success_elsewhere_keeps_the_charges) {
  start_sender(100);
  assign({work_builder(1).targets(30).build()});
  answer(15, unavailable);
  change(breaker_state::closed, 100, false, true);
  change(breaker_state::open, 0);
  commit_all();
  EXPECT_TRUE(store.refunds.empty());
}

TEST_F(sender_in_trouble, a_refund_that_fails_is_tried_again) {
  start_sender(100);
  assign({work_builder(1).targets(5).build()});
  answer(5, unavailable);
  commit_all();
  store.fail(store_call::refund);
  change(breaker_state::open, 0);
  EXPECT_EQ(store.refunds.size(), 1u);
  store.heal();
  advance(500ms);
  ASSERT_EQ(store.refunds.size(), 2u);
  EXPECT_EQ(store.refunds[1].size(), 5u);
  advance(5s);
  EXPECT_EQ(store.refunds.size(), 2u);
}

TEST_F(sender_in_trouble, probes_with_one_request_and_none_more_after_its_failure) {
  start_sender(100);
  change(breaker_state::probing, 1);
  const auto of = work_builder(1).targets(30).build();
  assign({of});
  EXPECT_EQ(submitted(), 1u);
  answer(1, unavailable);
  EXPECT_EQ(news().at(0).failures, 1u);
  commit_all();
  EXPECT_EQ(submitted(), 1u) << "also before credit says that it is open";
  EXPECT_EQ(others().at(0).attempts, 0);
  change(breaker_state::open, 0);
  EXPECT_THAT(returned_works(), ::testing::ElementsAre(of));
}

TEST_F(sender_in_trouble, a_probe_that_succeeds_goes_on_as_credit_allows) {
  start_sender(100);
  change(breaker_state::probing, 1);
  assign({work_builder(1).targets(30).build()});
  answer(1);
  EXPECT_TRUE(news().at(0).success);
  change(breaker_state::ramping, 2, false, true);
  EXPECT_EQ(submitted(), 2u) << "the first one's slot is not free yet";
  commit_all();
  EXPECT_EQ(news().at(0).committed, 1u);
  EXPECT_EQ(submitted(), 3u);
  change(breaker_state::ramping, 8, false, false);
  EXPECT_EQ(submitted(), 9u);
  change(breaker_state::closed, 100, false, false);
  EXPECT_EQ(submitted(), 30u);
}

TEST_F(sender_in_trouble, a_probe_with_nothing_to_send_is_told) {
  start_sender(100);
  change(breaker_state::probing, 1);
  assign({work_builder(1).targets(30).expires_at(clock.now()).build()});
  EXPECT_TRUE(news().empty());
  commit_all();
  const auto told = news();
  ASSERT_EQ(told.size(), 1u);
  EXPECT_TRUE(told[0].idle);
}

// --- marks

TEST_F(sender_in_trouble, submits_nothing_of_a_job_that_gives_up_before_it_is_marked) {
  start_sender(10);
  store.hold(store_call::mark);
  const auto of = giving_up(1, 25);
  assign({of});
  EXPECT_EQ(submitted(), 0u);
  ASSERT_EQ(store.marks.size(), 1u) << "a window at a time";
  EXPECT_EQ(store.marks[0].at(0).positions.size(), 10u);
  store.step();
  run();
  EXPECT_EQ(submitted(), 10u);
  store.let_go();
  while (!transport->open.empty()) {
    answer(10);
    flush_all();
  }
  EXPECT_EQ(submitted(), 25u);
  EXPECT_EQ(store.ledger.account_of(job_number(1)).counts.accepted, 25);
}

TEST_F(sender_in_trouble, a_mark_that_fails_is_tried_again_within_the_lease) {
  start_sender(10);
  store.fail(store_call::mark);
  const auto of = giving_up(1, 5);
  assign({of});
  advance(500ms);
  EXPECT_EQ(store.marks.size(), 2u);
  EXPECT_EQ(submitted(), 0u);
  store.heal();
  advance(500ms);
  EXPECT_EQ(submitted(), 5u);
  answer(5);
  flush_all();
  EXPECT_THAT(finished_works(), ::testing::ElementsAre(of));
}

TEST_F(sender_in_trouble, a_mark_without_its_lease_sends_nothing_and_frees_the_window) {
  start_sender(10);
  store.hold(store_call::mark);
  const auto lost = giving_up(1, 15);
  assign({lost, work_builder(2).targets(3).build()});
  store.ledger.void_leases();
  store.let_go();
  run();
  EXPECT_EQ(submitted_of(lost), 0u);
  EXPECT_EQ(submitted(), 3u) << "the window is free for others";
  EXPECT_EQ(credit_returned(), 15);
}

TEST_F(sender_in_trouble, a_mark_that_comes_after_the_lease_ended_sends_nothing) {
  start_sender(10);
  store.hold(store_call::mark);
  assign({giving_up(1, 5)});
  clock.advance(15s);
  store.let_go(); // the store has kept the lease; the sender's own clock ends it
  run();
  EXPECT_EQ(submitted(), 0u);
  EXPECT_EQ(count(outcome_status::retry), 5u);
}

TEST_F(sender_in_trouble, what_was_marked_but_not_sent_does_not_end_unknown) {
  start_sender(10);
  store.hold(store_call::mark);
  const auto of = giving_up(1, 25);
  assign({of});
  change(breaker_state::open, 0);
  store.let_go();
  run();
  EXPECT_EQ(submitted(), 0u);
  EXPECT_EQ(others().size(), 10u);
  for (const auto& each : others()) {
    EXPECT_EQ(each.status, outcome_status::retry);
    EXPECT_EQ(each.attempts, 0);
    EXPECT_EQ(each.retry_at, clock.now());
  }
  flush_all();
  ASSERT_THAT(returned_works(), ::testing::ElementsAre(of));
  store.ledger.release({{of->kind, of->key, of->epoch}});
  claim_request request;
  request.lane = "push";
  request.budgets = {{apns_production, 100}};
  std::size_t targets = 0;
  for (const auto& again : store.ledger.claim(request).works) {
    EXPECT_TRUE(again->settled.empty());
    targets += again->targets.size();
  }
  EXPECT_EQ(targets, 25u);
}

TEST_F(sender_in_trouble, what_was_marked_for_a_job_that_was_stopped_is_skipped) {
  start_sender(10);
  store.hold(store_call::mark);
  const auto of = giving_up(1, 15);
  assign({of});
  tell(job_stopped{job_number(1), "cancelled"});
  store.let_go();
  run();
  EXPECT_EQ(submitted(), 0u);
  EXPECT_EQ(count(outcome_status::skipped), 15u);
  flush_all();
  EXPECT_THAT(finished_works(), ::testing::ElementsAre(of));
}

TEST_F(sender_in_trouble, a_drain_waits_for_marks_and_puts_back_what_was_not_sent) {
  start_sender(10);
  store.hold(store_call::mark);
  assign({giving_up(1, 5)});
  const auto done = ask_drain(under_test);
  EXPECT_FALSE(*done);
  store.let_go();
  run();
  EXPECT_TRUE(*done);
  EXPECT_EQ(submitted(), 0u);
  EXPECT_EQ(count(outcome_status::retry), 5u);
}

TEST_F(sender_in_trouble, a_drain_does_not_wait_for_a_store_that_fails) {
  start_sender(10);
  store.fail(store_call::mark);
  assign({giving_up(1, 5)});
  const auto done = ask_drain(under_test);
  EXPECT_TRUE(*done);
  EXPECT_EQ(count(outcome_status::retry), 5u);
}

TEST_F(sender_in_trouble, a_job_that_ends_takes_back_what_waits_for_a_stream) {
  start_sender(10);
  transport->streams = 4;
  const auto of = work_builder(1).targets(12).build();
  assign({of});
  tell(job_stopped{of->key.job, "superseded"});
  EXPECT_EQ(transport->open.size(), 4u) << "only what has left ends as it ends";
  EXPECT_EQ(count(outcome_status::skipped), 8u);
  for (const auto& each : others())
    EXPECT_EQ(each.reason, "superseded");
  answer(4);
  EXPECT_EQ(count(outcome_status::accepted), 4u);
  commit_all();
  EXPECT_EQ(finished_works(), std::vector{of});
  EXPECT_EQ(credit_returned(), 12);
}

TEST_F(sender_in_trouble, a_pause_takes_back_what_waits_for_a_stream_without_charge) {
  start_sender(10);
  transport->streams = 4;
  const auto of = work_builder(1).targets(12).build();
  assign({of});
  tell(return_works{{of}});
  EXPECT_EQ(transport->open.size(), 4u);
  const auto back = others();
  ASSERT_EQ(back.size(), 6u);
  for (const auto& each : back) {
    EXPECT_EQ(each.status, outcome_status::retry);
    EXPECT_EQ(each.attempts, 0);
    EXPECT_EQ(each.retry_at, clock.now());
  }
  EXPECT_TRUE(news().empty()) << "it says nothing about the provider";
  answer(4);
  commit_all();
  EXPECT_EQ(returned_works(), std::vector{of});
}

TEST_F(sender_in_trouble, what_waits_of_a_lost_lease_is_not_sent) {
  start_sender(10);
  transport->streams = 4;
  const auto lost = work_builder(1).targets(10).build();
  const auto next = work_builder(2).targets(10).build();
  assign({lost, next});
  tell(drop_works{{lost}});
  EXPECT_EQ(transport->open.size(), 10u);
  EXPECT_EQ(submitted_of(next), 6u) << "the places of what was taken back are free at once";
  EXPECT_TRUE(outcomes().empty());
}

} // namespace
} // namespace signalbox
