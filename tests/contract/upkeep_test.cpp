// What the sweeper does in time: releases, deletes, keeps count; and a clock that is put back.

#include "tests/contract/store_contract.hpp"

#include <gmock/gmock.h>

namespace signalbox::contract {
namespace {

using testing::IsEmpty;
using testing::SizeIs;

using namespace std::chrono_literals;

TEST_P(store_contract, very_many_jobs_due_in_the_same_second_are_released_in_bounded_passes) {
  add_token("ann", "phone");
  const int count = 10'000;
  for (int group = 0; group < 10; ++group) {
    std::vector<job_submission> jobs;
    for (int i = 0; i < count / 10; ++i) {
      jobs.push_back({user_job("ann"), false});
      jobs.back().job.not_before = now() + 1min;
    }
    ASSERT_TRUE(await<std::vector<commit_result>>([&](auto done) {
                  store().jobs().commit_jobs(jobs, lease, std::move(done));
                }).ok());
  }
  EXPECT_EQ(measure().scheduled_jobs, count);
  EXPECT_EQ(sweep().released, 0u);
  advance(1min);
  std::size_t released = 0;
  for (bool more = true; more;) {
    const auto pass = sweep(1'000);
    EXPECT_LE(pass.released, 1'000u);
    EXPECT_GT(pass.released + !pass.more, 0u) << "each pass gets on";
    released += pass.released;
    more = pass.more;
  }
  EXPECT_EQ(released, static_cast<std::size_t>(count));
  EXPECT_TRUE(sweep().plan_due);
}

TEST_P(store_contract, the_oldest_due_jobs_are_released_first) {
  add_token("ann", "phone");
  auto late = user_job("ann");
  late.not_before = now() + 2s;
  auto early = user_job("ann");
  early.not_before = now() + 1s;
  commit(late);
  commit(early);
  advance(1min);
  const auto pass = sweep(1);
  EXPECT_EQ(pass.released, 1u);
  EXPECT_TRUE(pass.more);
  EXPECT_EQ(view(early.id).status, job_status::queued);
  EXPECT_EQ(view(late.id).status, job_status::scheduled);
}

TEST_P(store_contract, attempts_are_refunded_but_not_below_zero) {
  add_subscribers("news", 2);
  const auto job = topic_job("news");
  commit(job);
  plan_all();
  const auto work = claim_all().works.at(0);
  auto second = retry_of(work, 1, 1s);
  second.attempts = 3;
  flush({others(work, {retry_of(work, 0, 1s), second})});
  const auto first_id = work->targets[0].id;
  const auto second_id = work->targets[1].id;
  refund({{job.id, first_id}, {job.id, second_id}, {job.id, 999'999}, {make_uuid_v7(now()), 1}});
  refund({{job.id, first_id}});
  advance(1s);
  const auto retry = claim_all().works.at(0);
  EXPECT_EQ(retry->targets.at(0).attempts, 0);
  EXPECT_EQ(retry->targets.at(1).attempts, 2);
}

// The breaker opened while it was in flight again.
TEST_P(store_contract, an_attempt_is_refunded_also_while_its_target_is_claimed) {
  add_subscribers("news", 2);
  const auto job = topic_job("news");
  commit(job);
  plan_all();
  const auto first = claim_all().works.at(0);
  flush({others(first, {retry_of(first, 0, 0ms), retry_of(first, 1, 0ms)})});
  const auto again = claim_all().works.at(0);
  ASSERT_THAT(again->targets, SizeIs(2));
  refund({{job.id, again->targets[0].id}, {job.id, again->targets[1].id}});
  auto uncharged = retry_of(again, 0, 0ms);
  uncharged.attempts = again->targets[0].attempts;
  flush({others(again, {uncharged, retry_of(again, 1, 0ms)})});
  const auto third = claim_all().works.at(0);
  EXPECT_EQ(third->targets.at(0).attempts, 0);
  EXPECT_EQ(third->targets.at(1).attempts, 1);
}

TEST_P(store_contract, the_backlog_counts_what_waits_and_since_when_it_is_due) {
  EXPECT_EQ(measure().ready_chunks, 0);
  EXPECT_EQ(measure().oldest_due_age, 0ms);
  add_subscribers("news", 30);
  add_token("ann", "phone");
  auto later = user_job("ann");
  later.not_before = now() + 1h;
  commit(later);
  advance(10s);
  const auto job = topic_job("news");
  commit(job);
  plan_all(10);
  advance(5s);
  EXPECT_EQ(measure().ready_chunks, 3);
  EXPECT_EQ(measure().scheduled_jobs, 1);
  EXPECT_EQ(measure().oldest_due_age, 5s) << "since the job's creation";

  const auto works = claim_all().works;
  flush({others(works[0], {retry_of(works[0], 0, 1s), retry_of(works[0], 1, 10s)})});
  flush({others(works[0], {given_up(works[0], 2)})});
  EXPECT_EQ(measure().oldest_due_age, 0ms);
  advance(4s);
  const auto counted = measure();
  EXPECT_EQ(counted.ready_chunks, 0);
  EXPECT_EQ(counted.due_retries, 1);
  EXPECT_EQ(counted.waiting_retries, 1);
  EXPECT_EQ(counted.dead_letters, 1);
  EXPECT_EQ(counted.oldest_due_age, 3s) << "since the retry's time";

  flush({accept(works[0], 3, 7)});
  release({works[1], works[2]});
  for (const auto& work : claim_all().works)
    flush({accept(work)});
  advance(1h);
  sweep();
  plan_all();
  for (const auto& work : claim_all().works)
    if (work->kind == work_kind::retry)
      flush({accept(work)});
    else
      release({work});
  EXPECT_EQ(measure().ready_chunks, 1);
  EXPECT_EQ(measure().oldest_due_age, now() - *later.not_before) << "since its scheduled time";
}

TEST_P(store_contract, finished_jobs_go_after_a_week_and_failures_after_a_month) {
  add_subscribers("news", 4);
  const auto finish = [&](bool fails) {
    const auto job = topic_job("news");
    commit(job);
    plan_all();
    const auto work = claim_all().works.at(0);
    auto batch = accept(work, 1, 3);
    batch.others = {fails ? given_up(work, 0) : outcome_of(work, 0, outcome_status::accepted)};
    complete(flush({batch}).finished_chunks_of);
    expect_closed(job.id, 4);
    return job.id;
  };
  const auto good = finish(false);
  const auto bad = finish(true);
  const auto open = topic_job("news");
  commit(open);
  plan_all();
  EXPECT_EQ(sweep().deleted, 0u);
  advance(7 * 24h - 1ms);
  EXPECT_EQ(sweep().deleted, 0u);
  advance(1h);
  EXPECT_EQ(sweep().deleted, 1u);
  EXPECT_EQ(get(good).code, errc::not_found);
  EXPECT_THAT(receipts(bad), SizeIs(1));
  EXPECT_THAT(dead_letters(), SizeIs(1));
  advance(23 * 24h);
  EXPECT_EQ(sweep().deleted, 2u) << "the job and its dead letter";
  EXPECT_EQ(get(bad).code, errc::not_found);
  EXPECT_THAT(dead_letters(), IsEmpty());
  EXPECT_EQ(view(open.id).status, job_status::queued) << "what is open stays";
  EXPECT_EQ(sweep().deleted, 0u);
  EXPECT_FALSE(sweep().more);
  run_to_the_end();
  expect_closed(open.id, 4);
}

TEST_P(store_contract, a_large_finished_job_is_deleted_in_slices_also_across_a_crash) {
  add_subscribers("news", 300);
  auto job = topic_job("news");
  job.options.receipts = receipts_policy::all;
  commit(job);
  for (int i = 0; i < 5; ++i) { // planning waits for claims
    plan_all(1);
    for (const auto& work : claim_all().works)
      flush({accept(work)});
  }
  complete({job.id});
  expect_closed(job.id, 300);
  advance(8 * 24h);
  auto pass = sweep(100);
  EXPECT_TRUE(pass.more);
  EXPECT_EQ(pass.deleted, 0u);
  EXPECT_EQ(view(job.id).counts.accepted, 300) << "until the end its account is there";
  crash_and_reopen();
  int passes = 0;
  for (; pass.more && passes < 20; ++passes)
    pass = sweep(100);
  EXPECT_GT(passes, 3);
  EXPECT_EQ(get(job.id).code, errc::not_found);
}

TEST_P(store_contract, retries_come_back_within_their_backoff_when_the_clock_is_put_back) {
  add_subscribers("news", 3);
  const auto job = topic_job("news");
  commit(job);
  plan_all();
  const auto work = claim_all().works.at(0);
  flush({others(work, {retry_of(work, 0, 5s), retry_of(work, 1, 8s)})});
  auto late = retry_of(work, 2, 6s); // answered before the step, written after it
  const auto answered_at = now();
  sweep();
  advance(-1h);
  flush({{work, {}, {late}, answered_at}});
  sweep();
  EXPECT_THAT(claim_all().works, IsEmpty());
  advance(5s);
  EXPECT_THAT(claim_all().works.at(0)->targets, SizeIs(1));
  advance(3s);
  EXPECT_THAT(claim_all().works.at(0)->targets, SizeIs(2));
}

// Those that are due together were answered one after the other.
TEST_P(store_contract, none_of_them_comes_before_its_own_backoff) {
  add_subscribers("news", 2);
  const auto job = topic_job("news");
  commit(job);
  plan_all();
  const auto work = claim_all().works.at(0);
  auto earlier = retry_of(work, 1, 10s);
  auto later = retry_of(work, 0, 10s);
  later.retry_at -= 5s;
  earlier.retry_at -= 5s;
  const auto answered_at = now() - 5s;
  flush({{work, {}, {later}, now()}, {work, {}, {earlier}, answered_at}});
  advance(-1h);
  sweep();
  advance(10s - 1ms);
  EXPECT_THAT(claim_all().works, IsEmpty());
  advance(1ms);
  EXPECT_THAT(claim_all().works.at(0)->targets, SizeIs(2));
}

TEST_P(store_contract, what_was_written_before_the_clock_was_put_back_to_waits_no_longer) {
  add_subscribers("news", 1);
  commit(topic_job("news"));
  plan_all();
  const auto work = claim_all().works.at(0);
  flush({others(work, {retry_of(work, 0, 20s)})});
  advance(10s);
  sweep();
  advance(-5s);
  sweep();
  advance(15s);
  EXPECT_THAT(claim_all().works, SizeIs(1));
}

TEST_P(store_contract, a_lease_of_retries_lasts_no_longer_when_the_clock_is_put_back) {
  add_subscribers("news", 1);
  commit(topic_job("news"));
  plan_all();
  const auto work = claim_all().works.at(0);
  flush({others(work, {retry_of(work, 0, 0ms)})});
  EXPECT_THAT(claim_all().works, SizeIs(1));
  advance(-1h);
  sweep();
  EXPECT_THAT(claim_all().works, IsEmpty());
  advance(lease);
  EXPECT_THAT(claim_all().works, SizeIs(1));
}

// By less than leases are corrected for.
TEST_P(store_contract, a_retry_is_in_time_when_the_clock_is_put_back_a_little) {
  add_subscribers("news", 2);
  commit(topic_job("news"));
  plan_all();
  const auto work = claim_all().works.at(0);
  flush({others(work, {retry_of(work, 0, 0ms)})});
  EXPECT_THAT(claim_all().works, SizeIs(1));
  advance(-900ms);
  flush({{work, {}, {retry_of(work, 1, 200ms)}, now()}});
  advance(200ms);
  EXPECT_THAT(claim_all().works, SizeIs(1));
}

TEST_P(store_contract, and_when_it_is_put_back_while_the_node_is_down) {
  add_subscribers("news", 200);
  const auto job = topic_job("news");
  commit(job);
  plan_all();
  const auto work = claim_all().works.at(0);
  std::vector<outcome> list;
  for (std::size_t i = 0; i < 200; ++i)
    list.push_back(retry_of(work, i, 5s + i * 100ms));
  flush({others(work, list)});
  sweep();
  advance(-1h);
  crash_and_reopen();
  EXPECT_TRUE(sweep(50).more) << "a slice";
  crash_and_reopen();
  for (bool more = true; more;)
    more = sweep(50).more;
  advance(25s);
  EXPECT_EQ(targets_in(claim_all().works), 200u);
}

TEST_P(store_contract, and_when_the_store_fails_just_then) {
  add_subscribers("news", 1);
  commit(topic_job("news"));
  plan_all();
  const auto work = claim_all().works.at(0);
  flush({others(work, {retry_of(work, 0, 5s)})});
  sweep();
  advance(-1h);
  fail_commits(true);
  EXPECT_EQ(
    await<sweep_result>([&](auto done) { store().jobs().sweep({"push"}, std::move(done)); }).code,
    errc::unavailable);
  fail_commits(false);
  sweep();
  advance(5s);
  EXPECT_THAT(claim_all().works, SizeIs(1));
}

TEST_P(store_contract, leases_of_dead_owners_live_no_longer_and_nothing_is_claimed_twice) {
  add_subscribers("news", 20);
  const auto job = topic_job("news");
  commit(job);
  plan_all(10);
  const auto before = claim({{apns, 1}}).works;
  ASSERT_THAT(before, SizeIs(1));
  advance(1s);
  sweep();
  advance(-1h);
  const auto after = claim_all().works;
  ASSERT_THAT(after, SizeIs(1)) << "the other chunk, and not what is leased";
  EXPECT_NE(after[0]->key, before[0]->key);
  advance(lease - 2s);
  sweep();
  EXPECT_THAT(claim_all().works, IsEmpty());
  EXPECT_TRUE(renew(after).leases.at(0).held);
  advance(1s);
  const auto again = claim_all().works;
  ASSERT_THAT(again, SizeIs(1)) << "fifteen seconds after its claim";
  EXPECT_EQ(again[0]->key, before[0]->key);
}

TEST_P(store_contract, a_job_that_is_taken_after_the_clock_was_put_back_keeps_its_lease) {
  add_token("ann", "phone");
  sweep();
  advance(-10s);
  const auto job = user_job("ann");
  const auto work = commit(job, true).taken.at(0);
  advance(lease - 1ms);
  EXPECT_THAT(claim_all().works, IsEmpty());
  advance(1ms);
  EXPECT_THAT(claim_all().works, SizeIs(1));
}

TEST_P(store_contract, scheduled_jobs_follow_the_wall_clock) {
  add_token("ann", "phone");
  auto job = user_job("ann");
  job.not_before = now() + 1min;
  commit(job);
  sweep();
  advance(-1h);
  sweep();
  advance(1min);
  EXPECT_EQ(sweep().released, 0u);
  advance(1h);
  EXPECT_EQ(sweep().released, 1u);
}

TEST_P(store_contract, a_job_with_nothing_but_unknowns_is_kept_as_long_as_failures) {
  add_token("ann", "phone");
  const auto ended_with = [&](outcome_status status) {
    const auto job = user_job("ann");
    const auto work = commit(job, true).taken.at(0);
    flush({others(work, {outcome_of(work, 0, status)})});
    complete({job.id});
    return job.id;
  };
  const auto unknown = ended_with(outcome_status::unknown);
  const auto skipped = ended_with(outcome_status::skipped);
  advance(8 * 24h);
  for (int pass = 0; pass < 5; ++pass)
    sweep();
  EXPECT_EQ(get(skipped).code, errc::not_found);
  EXPECT_EQ(get(unknown).code, errc::ok);
  advance(23 * 24h);
  for (int pass = 0; pass < 5; ++pass)
    sweep();
  EXPECT_EQ(get(unknown).code, errc::not_found);
}

// A clock that was ahead once says nothing about what was written before and after.
TEST_P(store_contract, what_was_written_while_the_clock_was_ahead_holds_up_no_retention) {
  add_subscribers("news", 1);
  const auto fail_one = [&] {
    const auto job = topic_job("news");
    commit(job);
    plan_all();
    const auto work = claim_all().works.at(0);
    auto failed = outcome_of(work, 0, outcome_status::rejected);
    failed.reason = "ServiceUnavailable";
    failed.dead_letter = true;
    flush({others(work, {failed})});
    complete({job.id});
    return job.id;
  };
  advance(365 * 24h);
  const auto ahead = fail_one();
  advance(-365 * 24h);
  const auto after = fail_one();
  EXPECT_THAT(dead_letters(), SizeIs(2));
  sweep();
  advance(31 * 24h);
  for (int pass = 0; pass < 10; ++pass)
    sweep();
  EXPECT_EQ(get(after).code, errc::not_found);
  EXPECT_EQ(get(ahead).code, errc::not_found) << "it counted from when the clock was right again";
  EXPECT_THAT(dead_letters(), IsEmpty());
}

TEST_P(store_contract, nor_does_it_end_before_its_time) {
  add_token("ann", "phone");
  advance(365 * 24h);
  const auto job = user_job("ann");
  commit(job);
  run_to_the_end();
  advance(-365 * 24h);
  sweep();
  advance(6 * 24h);
  sweep();
  EXPECT_TRUE(get(job.id).ok());
}

} // namespace
} // namespace signalbox::contract
