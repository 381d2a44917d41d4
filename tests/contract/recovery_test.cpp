// What a crash leaves behind, state by state; docs/recovery.md names the rest.

#include "tests/contract/store_contract.hpp"

#include <gmock/gmock.h>

#include <array>

namespace signalbox::contract {
namespace {

using testing::IsEmpty;
using testing::SizeIs;

using namespace std::chrono_literals;

TEST_P(store_contract, a_job_that_became_due_while_the_node_was_down_is_released) {
  add_token("ann", "phone");
  auto job = user_job("ann");
  job.not_before = now() + 1min;
  commit(job);
  store().close();
  advance(1h);
  crash_and_reopen();
  EXPECT_EQ(sweep().released, 1u);
  run_to_the_end();
  expect_closed(job.id, 1);
}

TEST_P(store_contract, a_job_whose_deadline_passed_while_the_node_was_down_expires) {
  add_subscribers("news", 3);
  auto job = topic_job("news");
  job.options.ttl = 60s;
  commit(job);
  plan_all();
  advance(1h);
  crash_and_reopen();
  EXPECT_EQ(sweep().expired, 1u);
  sweep();
  expect_closed(job.id, 3);
  EXPECT_EQ(view(job.id).counts.expired, 3);
}

TEST_P(store_contract, a_large_expired_job_is_closed_on_after_a_crash) {
  add_subscribers("news", 200);
  auto job = topic_job("news");
  job.options.ttl = 60s;
  commit(job);
  plan_all(1);
  advance(1min);
  EXPECT_THAT(claim_all().works, IsEmpty()) << "expired by the claim, which closes a slice";
  crash_and_reopen();
  for (bool more = true; more;)
    more = sweep(50).more;
  expect_closed(job.id, 200);
  EXPECT_EQ(view(job.id).counts.expired, 200);
}

TEST_P(store_contract, the_leased_retries_of_a_crash_are_claimed_again_uncharged) {
  add_subscribers("news", 3);
  const auto job = topic_job("news");
  commit(job);
  plan_all();
  const auto work = claim_all().works.at(0);
  flush({accept(work, 0, 1), others(work, {retry_of(work, 1, 1s), retry_of(work, 2, 1h)})});
  advance(1s);
  const auto retry = claim_all().works.at(0);
  crash_and_reopen();
  const auto again = claim_all().works.at(0);
  ASSERT_THAT(again->targets, SizeIs(1));
  EXPECT_EQ(again->targets[0].attempts, 1);
  EXPECT_EQ(flush({accept(retry)}).stale, 1u);
  flush({accept(again)});
  EXPECT_THAT(claim_all().works, IsEmpty()) << "the other one is not due";
  advance(1h);
  run_to_the_end();
  expect_closed(job.id, 3);
}

TEST_P(store_contract, a_job_cancelled_while_it_was_claimed_closes_after_a_crash) {
  add_subscribers("news", 20);
  const auto job = topic_job("news");
  commit(job);
  plan_all(10);
  const auto work = claim_all().works.at(0);
  flush({accept(work, 0, 4), others(work, {retry_of(work, 4, 0ms)})});
  const auto retry = claim_all().works.at(0);
  cancel(job.id);
  EXPECT_FALSE(view(job.id).completed_at);
  crash_and_reopen();
  sweep();
  expect_closed(job.id, 20);
  EXPECT_EQ(view(job.id).counts, (job_counts{4, 0, 0, 0, 16}));
}

TEST_P(store_contract, inline_tokens_that_were_half_planned_are_planned_on) {
  std::vector<inline_token> tokens;
  for (int i = 0; i < 1'700; ++i)
    tokens.push_back({platform::apns, environment::production, "inline" + std::to_string(i)});
  const auto job = tokens_job(tokens);
  commit(job);
  await<plan_result>([&](auto done) { store().jobs().plan("push", 100, std::move(done)); });
  const auto planned = view(job.id).planned;
  EXPECT_GT(planned, 0);
  EXPECT_LT(planned, 1'700);
  crash_and_reopen();
  EXPECT_TRUE(sweep().plan_due);
  run_to_the_end();
  expect_closed(job.id, 1'700);
}

TEST_P(store_contract, a_retry_that_ended_last_completes_its_job_after_a_crash) {
  add_token("ann", "phone");
  const auto job = user_job("ann");
  const auto work = commit(job, true).taken.at(0);
  complete(flush({others(work, {retry_of(work, 0, 0ms)})}).finished_chunks_of);
  EXPECT_EQ(view(job.id).status, job_status::dispatched);
  flush({accept(claim_all().works.at(0))});
  crash_and_reopen();
  EXPECT_EQ(sweep().completed, 1u);
  expect_closed(job.id, 1);
}

// All of it at once, and crashes all the way.
TEST_P(store_contract, whatever_a_crash_leaves_comes_to_its_end) {
  add_subscribers("news", 300);
  add_token("ann", "phone");
  std::vector<new_job> jobs;
  const auto start = [&](new_job job) { jobs.push_back(job), commit(job); };
  auto scheduled = user_job("ann");
  scheduled.not_before = now() + 1min;
  start(scheduled);
  start(topic_job("news")); // half planned
  await<plan_result>([&](auto done) { store().jobs().plan("push", 1, std::move(done)); });
  auto once = topic_job("news");
  once.options.on_unknown = unknown_policy::give_up;
  start(once);
  start(user_job("ann")); // to be cancelled
  cancel(jobs.back().id);
  start(user_job("ann")); // unclaimed
  const auto works = claim_all().works;
  for (std::size_t i = 0; i < works.size(); i += 3)
    flush({others(works[i], {i % 2 == 0 ? retry_of(works[i], 0, 1s) : given_up(works[i], 0)})});
  cancel(jobs[1].id);
  replay();
  work_rule rule;
  rule.user = "ann";
  const auto paused = pause(rule);
  crash_and_reopen();
  resume(paused.id);
  crash_and_reopen();
  advance(1h);
  sweep();
  crash_and_reopen();
  run_to_the_end();
  const auto half =
    view(jobs[1].id).total.value_or(-1); // what a step had planned when it was cancelled
  EXPECT_GT(half, 0);
  EXPECT_LT(half, 300);
  const std::array<std::int64_t, 5> totals{1, half, 300, 1, 1};
  for (std::size_t i = 0; i < jobs.size(); ++i)
    expect_closed(jobs[i].id, totals.at(i));
}

} // namespace
} // namespace signalbox::contract
