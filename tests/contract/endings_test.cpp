// Cancelled and expired jobs close their accounts.

#include "tests/contract/store_contract.hpp"

#include <gmock/gmock.h>

namespace signalbox::contract {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

using namespace std::chrono_literals;

TEST_P(store_contract, cancelling_skips_all_that_is_unclaimed) {
  add_subscribers("news", 30);
  const auto job = topic_job("news");
  commit(job);
  plan_all(10);
  const auto cancelled = cancel(job.id);
  ASSERT_TRUE(cancelled.ok()) << cancelled.message;
  EXPECT_EQ(cancelled.value.status, job_status::cancelled);
  expect_closed(job.id, 30);
  EXPECT_EQ(view(job.id).counts.skipped, 30);
  EXPECT_THAT(claim_all().works, IsEmpty());
}

TEST_P(store_contract, cancelling_leaves_claimed_work_to_its_owner) {
  add_subscribers("news", 30);
  const auto job = topic_job("news");
  commit(job);
  plan_all(10);
  const auto work = claim({{apns, 10}}).works.at(0);
  flush({accept(work, 0, 3), others(work, {retry_of(work, 3, 0ms)})});
  cancel(job.id);
  EXPECT_FALSE(view(job.id).completed_at) << "six are under way";
  EXPECT_EQ(view(job.id).counts, (job_counts{3, 0, 0, 0, 21}));
  EXPECT_THAT(claim_all().works, IsEmpty()) << "the retry was closed";
  // Two were on their way, one more fails and wants a retry, the rest was not sent.
  auto batch = accept(work, 4, 2);
  batch.others = {retry_of(work, 6, 0ms)};
  for (std::size_t i = 7; i < 10; ++i)
    batch.others.push_back(outcome_of(work, i, outcome_status::skipped));
  complete(flush({batch}).finished_chunks_of);
  EXPECT_THAT(claim_all().works, IsEmpty());
  sweep();
  expect_closed(job.id, 30);
  EXPECT_EQ(view(job.id).counts, (job_counts{5, 0, 0, 0, 25}));
  EXPECT_EQ(view(job.id).status, job_status::cancelled);
}

TEST_P(store_contract, cancelling_leaves_a_claimed_retry_to_its_owner) {
  add_token("ann", "phone");
  const auto work = commit(user_job("ann"), true).taken.at(0);
  flush({others(work, {retry_of(work, 0, 0ms)})});
  const auto retry = claim_all().works.at(0);
  cancel(work->key.job);
  EXPECT_FALSE(view(work->key.job).completed_at) << "it is under way";
  const auto flushed = flush({accept(retry)});
  EXPECT_EQ(flushed.stale, 0u);
  complete(flushed.finished_chunks_of);
  expect_closed(work->key.job, 1);
  EXPECT_EQ(view(work->key.job).counts.accepted, 1);
}

TEST_P(store_contract, what_a_cancelled_jobs_owner_gives_back_or_loses_is_skipped) {
  add_subscribers("news", 20);
  const auto job = topic_job("news");
  commit(job);
  plan_all(10);
  const auto works = claim_all().works;
  ASSERT_THAT(works, SizeIs(2));
  cancel(job.id);
  release({works[0]});
  EXPECT_THAT(claim_all().works, IsEmpty()) << "nobody gets it any more";
  sweep();
  EXPECT_EQ(view(job.id).counts.skipped, 10);
  advance(lease);
  sweep();
  expect_closed(job.id, 20);
}

TEST_P(store_contract, reloading_cancelled_work_gives_nothing_to_send) {
  add_subscribers("news", 3);
  const auto job = topic_job("news");
  commit(job);
  plan_all();
  const auto work = claim_all().works.at(0);
  cancel(job.id);
  const auto rest = reload(work);
  ASSERT_TRUE(rest);
  EXPECT_THAT(rest->targets, IsEmpty());
  ASSERT_THAT(rest->settled, SizeIs(3));
  EXPECT_EQ(rest->settled[0].reason, "cancelled");
  complete(flush({settled(rest)}).finished_chunks_of);
  expect_closed(job.id, 3);
}

TEST_P(store_contract, a_large_cancelled_job_is_closed_in_slices) {
  add_subscribers("news", 200);
  add_token("ann", "phone");
  const auto job = topic_job("news");
  commit(job);
  plan_all(1);
  cancel(job.id);
  EXPECT_EQ(view(job.id).status, job_status::cancelled);
  const auto ann = user_job("ann");
  commit(ann);
  EXPECT_EQ(claim_all().works.at(0)->key.job, ann.id) << "it is in nobody's way";
  for (int i = 0; i < 20; ++i)
    sweep();
  expect_closed(job.id, 200);
}

TEST_P(store_contract, a_job_cancelled_while_it_is_planned_has_what_was_planned_as_total) {
  add_subscribers("news", 200);
  const auto job = topic_job("news");
  commit(job);
  await<plan_result>([&](auto done) { store().jobs().plan("push", 1, std::move(done)); });
  const auto planned = view(job.id).planned;
  EXPECT_GT(planned, 0);
  EXPECT_LT(planned, 200);
  cancel(job.id);
  EXPECT_EQ(plan_all(1), 0u);
  for (int i = 0; i < 10; ++i)
    sweep();
  expect_closed(job.id, planned);
}

TEST_P(store_contract, a_scheduled_job_can_be_cancelled) {
  add_subscribers("news", 3);
  auto job = topic_job("news");
  job.not_before = now() + 1min;
  commit(job);
  EXPECT_EQ(cancel(job.id).value.status, job_status::cancelled);
  expect_closed(job.id, 0);
  advance(2min);
  EXPECT_EQ(sweep().released, 0u);
}

TEST_P(store_contract, the_first_terminal_state_stands) {
  add_token("ann", "phone");
  const auto job = user_job("ann");
  const auto work = commit(job, true).taken.at(0);
  complete(flush({accept(work)}).finished_chunks_of);
  EXPECT_EQ(cancel(job.id).code, errc::conflict);
  EXPECT_EQ(view(job.id).status, job_status::completed);

  const auto other = user_job("ann");
  commit(other);
  EXPECT_TRUE(cancel(other.id).ok());
  EXPECT_TRUE(cancel(other.id).ok()) << "the same again";
  EXPECT_EQ(cancel(make_uuid_v7(now())).code, errc::not_found);
  EXPECT_EQ(await<job_view>([&](auto done) {
              store().reader().cancel_job(2, other.id, std::move(done));
            }).code,
            errc::not_found);
}

TEST_P(store_contract, closing_goes_on_after_a_crash) {
  add_subscribers("news", 200);
  const auto job = topic_job("news");
  commit(job);
  plan_all(1);
  const auto work = claim({{apns, 1}}).works.at(0);
  cancel(job.id);
  crash_and_reopen();
  for (int i = 0; i < 10; ++i)
    sweep();
  expect_closed(job.id, 200);
  EXPECT_EQ(flush({accept(work)}).stale, 1u);
}

TEST_P(store_contract, a_job_past_its_deadline_before_its_first_claim_expires) {
  add_subscribers("news", 3);
  auto planned = topic_job("news");
  planned.options.ttl = 60s;
  commit(planned);
  plan_all();
  auto unplanned = topic_job("news");
  unplanned.options.expires_at = now() + 59s;
  commit(unplanned);
  advance(59s);
  sweep();
  EXPECT_EQ(view(unplanned.id).status, job_status::expired);
  EXPECT_EQ(view(planned.id).status, job_status::queued);
  advance(1s);
  EXPECT_THAT(claim_all().works, IsEmpty()) << "too late for a first claim";
  sweep();
  EXPECT_EQ(view(planned.id).status, job_status::expired);
  expect_closed(planned.id, 3);
  EXPECT_EQ(view(planned.id).counts.expired, 3);
  expect_closed(unplanned.id, 0);
}

TEST_P(store_contract, many_late_jobs_are_in_nobodys_way_for_long) {
  add_token("ann", "phone");
  std::vector<job_submission> late;
  for (int i = 0; i < 1'200; ++i) {
    late.push_back({user_job("ann"), false});
    late.back().job.options.ttl = 10s;
  }
  ASSERT_TRUE(await<std::vector<commit_result>>([&](auto done) {
                store().jobs().commit_jobs(late, lease, std::move(done));
              }).ok());
  advance(10s);
  const auto job = user_job("ann");
  commit(job);
  std::size_t claims = 0;
  for (; claims < 10; ++claims)
    if (const auto works = claim_all().works; !works.empty()) {
      EXPECT_EQ(works.at(0)->key.job, job.id);
      break;
    }
  EXPECT_LT(claims, 10u);
  for (const auto& one : late) {
    EXPECT_EQ(view(one.job.id).status, job_status::expired);
    expect_closed(one.job.id, 1);
  }
}

TEST_P(store_contract, a_job_that_was_claimed_in_time_does_not_expire_as_a_whole) {
  add_subscribers("news", 20);
  auto job = topic_job("news");
  job.options.ttl = 60s;
  commit(job);
  plan_all(10);
  const auto first = claim({{apns, 10}}).works.at(0);
  advance(61s);
  sweep();
  EXPECT_EQ(view(job.id).status, job_status::in_progress);
  const auto works = claim_all().works;
  EXPECT_THAT(works, SizeIs(2)) << "the master counts late targets expired one by one";
  for (const auto& work : works) {
    outcome_batch batch{work, {}, {}, now()};
    for (std::size_t i = 0; i < work->targets.size(); ++i)
      batch.others.push_back(outcome_of(work, i, outcome_status::expired));
    flush({batch});
  }
  complete({job.id});
  expect_closed(job.id, 20);
  EXPECT_EQ(view(job.id).status, job_status::completed);
  EXPECT_EQ(view(job.id).counts.expired, 20);
}

TEST_P(store_contract, a_ttl_of_zero_never_expires_before_its_try) {
  add_token("ann", "phone");
  auto job = user_job("ann");
  job.options.ttl = 0s;
  commit(job);
  advance(1h);
  sweep();
  const auto work = claim_all().works.at(0);
  EXPECT_TRUE(work->job->single_try());
  EXPECT_EQ(work->job->deadline(), std::nullopt);
}

TEST_P(store_contract, what_a_job_was_given_comes_back_with_its_work) {
  add_token("ann", "phone");
  auto job = user_job("ann");
  job.options = {90s, now() + 2min, receipts_policy::all, unknown_policy::give_up};
  commit(job);
  const auto context = claim_all().works.at(0)->job;
  EXPECT_EQ(context->options.ttl, 90s);
  EXPECT_EQ(context->options.expires_at, now() + 2min);
  EXPECT_EQ(context->options.receipts, receipts_policy::all);
  EXPECT_EQ(context->options.on_unknown, unknown_policy::give_up);
  EXPECT_EQ(context->created_at, job.created_at);
  EXPECT_EQ(context->app, default_app);
}

} // namespace
} // namespace signalbox::contract
