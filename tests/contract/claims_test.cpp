#include "tests/contract/store_contract.hpp"

#include <gmock/gmock.h>

#include <set>

namespace signalbox::contract {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

using namespace std::chrono_literals;

std::vector<job_id> jobs_of(const claim_result& claimed) {
  std::vector<job_id> jobs;
  for (const auto& work : claimed.works)
    jobs.push_back(work->key.job);
  return jobs;
}

TEST_P(store_contract, claims_take_one_chunk_of_each_job_in_turn) {
  add_subscribers("news", 100);
  add_token("ann", "phone");
  add_token("bob", "tablet");
  const auto big = topic_job("news");
  commit(big);
  plan_all(1);
  const auto ann = user_job("ann");
  const auto bob = user_job("bob");
  commit(ann);
  commit(bob);
  EXPECT_THAT(jobs_of(claim({{apns, 1'000}}, 4)), ElementsAre(big.id, ann.id, bob.id, big.id));
  const auto late = user_job("ann");
  commit(late);
  EXPECT_THAT(jobs_of(claim({{apns, 1}})), ElementsAre(late.id)) << "the next in turn";
  EXPECT_THAT(jobs_of(claim({{apns, 2}})), ElementsAre(big.id, big.id));
}

TEST_P(store_contract, claims_give_every_app_and_pool_its_turn) {
  add_subscribers("news", 50);
  add_subscribers("news", 50, "f", fcm);
  commit(topic_job("news"));
  plan_all(1);
  const auto claimed = claim({{apns, 1'000}, {fcm, 1'000}}, 10);
  EXPECT_EQ(std::count_if(claimed.works.begin(), claimed.works.end(),
                          [](const auto& work) { return work->dest == fcm; }),
            5);
}

TEST_P(store_contract, a_budget_is_overshot_by_less_than_a_chunk) {
  add_subscribers("news", 60);
  commit(topic_job("news"));
  plan_all(10);
  EXPECT_THAT(claim({{apns, 0}}).works, IsEmpty());
  EXPECT_THAT(claim({{apns, 1}}).works, SizeIs(1));
  EXPECT_THAT(claim({{apns, 11}}).works, SizeIs(2));
  EXPECT_THAT(claim({{apns, 20}}).works, SizeIs(2));
}

TEST_P(store_contract, destinations_without_a_budget_are_named) {
  add_token("ann", "a1");
  add_token("ann", "f1", {}, fcm);
  add_token("ann", "s1", {}, sandbox);
  commit(user_job("ann"));
  auto claimed = claim({{fcm, 10}, {sandbox, 0}});
  EXPECT_THAT(claimed.works, SizeIs(1));
  EXPECT_THAT(claimed.refused, ElementsAre(apns, sandbox));
  claimed = claim({{apns, 10}, {sandbox, 10}, {fcm, 10}});
  EXPECT_THAT(claimed.works, SizeIs(2));
  EXPECT_THAT(claimed.refused, IsEmpty());
}

TEST_P(store_contract, due_retries_without_a_budget_are_named) {
  add_token("ann", "f1", {}, fcm);
  const auto work = commit(user_job("ann"), true).taken.at(0);
  flush({others(work, {retry_of(work, 0, 1s)})});
  EXPECT_THAT(claim({{apns, 10}}).refused, IsEmpty());
  advance(1s);
  EXPECT_THAT(claim({{apns, 10}}).refused, ElementsAre(fcm));
}

TEST_P(store_contract, retries_do_not_wait_for_new_work_elsewhere) {
  add_subscribers("news", 2);
  add_subscribers("offers", 2, "s", sandbox);
  commit(topic_job("news"));
  plan_all();
  const auto work = claim_all().works.at(0);
  flush({others(work, {retry_of(work, 0, 1s), retry_of(work, 1, 2s)})});
  advance(2s);
  commit(topic_job("offers"));
  plan_all(1);
  for (int i = 0; i < 2; ++i)
    EXPECT_THAT(claim({{apns, 1}, {sandbox, 1}}).works, SizeIs(2));
}

TEST_P(store_contract, lanes_do_not_see_each_others_work) {
  add_token("ann", "a1");
  auto job = user_job("ann");
  job.lane = "bulk";
  commit(job);
  EXPECT_THAT(claim_all().works, IsEmpty());
  EXPECT_FALSE(sweep().work_due);
  const auto bulk = await<claim_result>([&](auto done) {
    store().jobs().claim({"bulk", {{apns, 10}}, 64, lease}, std::move(done));
  });
  EXPECT_THAT(bulk.value.works, SizeIs(1));
}

TEST_P(store_contract, an_unknown_lane_has_no_work) {
  EXPECT_THAT(claim_all().works, IsEmpty());
  EXPECT_EQ(plan_all(), 0u);
  EXPECT_FALSE(sweep().plan_due);
}

TEST_P(store_contract, a_lease_that_ended_is_claimed_by_the_next) {
  add_subscribers("news", 3);
  const auto job = topic_job("news");
  commit(job);
  plan_all();
  const auto first = claim_all().works.at(0);
  flush({accept(first, 0, 1)});
  advance(lease - 1ms);
  EXPECT_THAT(claim_all().works, IsEmpty());
  advance(1ms);
  const auto second = claim_all().works.at(0);
  EXPECT_THAT(second->targets, SizeIs(2));
  EXPECT_EQ(flush({accept(first)}).stale, 3u);
  flush({accept(second)});
  complete({job.id});
  expect_closed(job.id, 3);
}

TEST_P(store_contract, an_old_epoch_accepts_no_whole_chunk_that_nobody_has_touched) {
  add_subscribers("news", 3);
  const auto job = topic_job("news");
  commit(job);
  plan_all();
  const auto first = claim_all().works.at(0);
  advance(lease);
  const auto second = claim_all().works.at(0);
  ASSERT_THAT(second->targets, SizeIs(3));
  EXPECT_EQ(flush({accept(first)}).stale, 3u);
  EXPECT_EQ(view(job.id).counts.accepted, 0);
  EXPECT_EQ(flush({accept(second)}).stale, 0u);
  complete({job.id});
  expect_closed(job.id, 3);
}

TEST_P(store_contract, a_taken_job_whose_owner_never_got_it_is_claimed_after_its_lease) {
  add_token("ann", "phone");
  commit(user_job("ann"), true);
  advance(lease);
  EXPECT_THAT(claim_all().works, SizeIs(1));
}

TEST_P(store_contract, a_retry_lease_ends_in_time_beside_a_chunks) {
  add_token("ann", "phone");
  add_token("bob", "tablet");
  const auto ann = commit(user_job("ann"), true).taken.at(0);
  const auto bob = commit(user_job("bob"), true).taken.at(0);
  flush({others(bob, {retry_of(bob, 0, 0ms)})});
  advance(lease / 3);
  ASSERT_THAT(claim_all().works, SizeIs(1));
  advance(lease - lease / 3);
  EXPECT_THAT(jobs_of(claim_all()), ElementsAre(ann->key.job));
  advance(lease / 3);
  EXPECT_THAT(jobs_of(claim_all()), ElementsAre(bob->key.job));
}

TEST_P(store_contract, a_lease_ends_for_its_owner_before_it_ends_for_the_store) {
  add_token("ann", "phone");
  const auto work = commit(user_job("ann"), true).taken.at(0);
  const auto again = reload(work);
  const auto renewed = renew({work});
  release({work});
  const auto claimed = claim_all().works.at(0);
  const auto latest = boot_clock::now() + lease - 1s;
  EXPECT_LE(work->lease_deadline, latest);
  EXPECT_LE(again->lease_deadline, latest);
  EXPECT_LE(renewed.deadline, latest);
  EXPECT_LE(claimed->lease_deadline, latest);
}

TEST_P(store_contract, an_old_epoch_renews_releases_and_reloads_nothing) {
  add_token("ann", "phone");
  add_token("bob", "tablet");
  const auto old_chunk = commit(user_job("ann"), true).taken.at(0);
  const auto bob = commit(user_job("bob"), true).taken.at(0);
  flush({others(bob, {retry_of(bob, 0, 0ms)})});
  const auto old_retry = claim_all().works.at(0);
  release({old_chunk, old_retry});
  const auto held = claim_all().works; // somebody else's now
  ASSERT_THAT(held, SizeIs(2));
  const auto renewed = renew({old_chunk, old_retry});
  EXPECT_FALSE(renewed.leases.at(0).held);
  EXPECT_FALSE(renewed.leases.at(1).held);
  EXPECT_FALSE(reload(old_chunk));
  EXPECT_FALSE(reload(old_retry));
  release({old_chunk, old_retry});
  EXPECT_THAT(claim_all().works, IsEmpty());
  EXPECT_EQ(flush({others(old_retry, {retry_of(old_retry, 0, 0ms)})}).stale, 1u);
  EXPECT_THAT(claim_all().works, IsEmpty());
  EXPECT_EQ(flush({accept(held[0]), accept(held[1])}).stale, 0u);
}

TEST_P(store_contract, a_retry_lease_that_ended_charges_no_attempt) {
  add_token("ann", "phone");
  auto work = commit(user_job("ann"), true).taken.at(0);
  flush({others(work, {retry_of(work, 0, 0ms)})});
  const auto first = claim_all().works.at(0);
  EXPECT_THAT(claim_all().works, IsEmpty());
  advance(lease);
  const auto second = claim_all().works.at(0);
  EXPECT_EQ(second->kind, work_kind::retry);
  EXPECT_EQ(second->targets[0].attempts, first->targets[0].attempts);
  EXPECT_EQ(flush({accept(first)}).stale, 1u);
  flush({accept(second)});
  complete({work->key.job});
  expect_closed(work->key.job, 1);
}

TEST_P(store_contract, a_renewed_lease_holds_on) {
  add_token("ann", "phone");
  add_token("bob", "tablet");
  const auto ann = commit(user_job("ann"), true).taken.at(0);
  const auto bob = commit(user_job("bob"), true).taken.at(0);
  flush({others(bob, {retry_of(bob, 0, 0ms)})});
  const auto retry = claim_all().works.at(0);
  advance(lease / 2);
  const auto before = boot_clock::now();
  const auto renewed = renew({ann, retry});
  EXPECT_GT(renewed.deadline, before + lease / 2);
  ASSERT_THAT(renewed.leases, SizeIs(2));
  EXPECT_TRUE(renewed.leases[0].held);
  EXPECT_TRUE(renewed.leases[1].held);
  EXPECT_EQ(renewed.leases[0].lease.key, ann->key);
  EXPECT_EQ(renewed.leases[0].status, job_status::in_progress);
  advance(lease - 1ms);
  EXPECT_THAT(claim_all().works, IsEmpty());
  EXPECT_EQ(flush({accept(ann), accept(retry)}).stale, 0u);
}

TEST_P(store_contract, a_renewal_tells_what_is_lost_and_what_was_cancelled) {
  add_token("ann", "phone");
  add_token("bob", "tablet");
  const auto ann = commit(user_job("ann"), true).taken.at(0);
  const auto bob = commit(user_job("bob"), true).taken.at(0);
  release({ann});
  cancel(bob->key.job);
  const auto renewed = renew({ann, bob});
  EXPECT_FALSE(renewed.leases.at(0).held);
  EXPECT_TRUE(renewed.leases.at(1).held) << "its owner still has to report";
  EXPECT_EQ(renewed.leases.at(1).status, job_status::cancelled);
}

TEST_P(store_contract, work_given_back_is_there_for_the_next_claim) {
  add_token("ann", "phone");
  const auto work = commit(user_job("ann"), true).taken.at(0);
  release({work});
  const auto again = claim_all().works.at(0);
  EXPECT_EQ(tokens_in(again), tokens_in(work));
  flush({others(again, {retry_of(again, 0, 0ms)})});
  const auto retry = claim_all().works.at(0);
  release({retry});
  EXPECT_THAT(claim_all().works, SizeIs(1));
}

TEST_P(store_contract, reloading_gives_what_is_left) {
  add_subscribers("news", 10);
  commit(topic_job("news"));
  plan_all();
  const auto work = claim_all().works.at(0);
  flush({accept(work, 0, 4)});
  const auto rest = reload(work);
  ASSERT_TRUE(rest);
  EXPECT_EQ(rest->epoch, work->epoch);
  EXPECT_EQ(rest->key, work->key);
  ASSERT_THAT(rest->targets, SizeIs(6));
  EXPECT_EQ(rest->targets[0].index, 4u);
  EXPECT_LE(rest->lease_deadline, boot_clock::now() + lease);
  flush({accept(rest, 0, 5), others(rest, {retry_of(rest, 5, 0ms)})});
  EXPECT_FALSE(reload(work)) << "nothing is left";
  const auto retry = claim_all().works.at(0);
  EXPECT_THAT(reload(retry)->targets, SizeIs(1));
  release({retry});
  EXPECT_FALSE(reload(retry)) << "not held any more";
}

TEST_P(store_contract, a_chunk_that_keeps_losing_its_owners_is_dead_lettered) {
  add_subscribers("news", 3);
  const auto job = topic_job("news");
  commit(job);
  plan_all();
  for (int expiry = 1; expiry <= 4; ++expiry) {
    ASSERT_THAT(claim_all().works, SizeIs(1));
    advance(lease);
  }
  auto work = claim_all().works.at(0);
  flush({accept(work, 0, 1)}); // a new bit: it starts over
  for (int expiry = 1; expiry <= 5; ++expiry) {
    advance(lease);
    if (expiry < 5) {
      ASSERT_THAT(claim_all().works, SizeIs(1)) << expiry;
    }
  }
  sweep();
  EXPECT_THAT(claim_all().works, IsEmpty());
  expect_closed(job.id, 3);
  EXPECT_EQ(view(job.id).counts, (job_counts{1, 2, 0, 0, 0}));
  ASSERT_THAT(receipts(job.id), SizeIs(2));
  EXPECT_EQ(receipts(job.id)[0].reason, "lease_lost");
}

TEST_P(store_contract, a_crash_voids_the_leases_and_sends_only_what_has_no_outcome) {
  add_subscribers("news", 10);
  const auto job = topic_job("news");
  commit(job);
  plan_all();
  const auto work = claim_all().works.at(0);
  auto batch = accept(work, 0, 6);
  batch.others = {retry_of(work, 6, 0ms)};
  flush({batch});
  const auto retry = claim_all().works.at(0);
  ASSERT_EQ(retry->kind, work_kind::retry);
  crash_and_reopen();
  EXPECT_EQ(flush({accept(work), accept(retry)}).stale, 11u) << "from before the crash";
  const auto claimed = claim_all();
  ASSERT_THAT(claimed.works, SizeIs(2));
  EXPECT_EQ(claimed.works[0]->kind, work_kind::retry);
  EXPECT_THAT(claimed.works[0]->targets, SizeIs(1));
  EXPECT_THAT(claimed.works[1]->targets, SizeIs(3));
  EXPECT_GT(claimed.works[1]->epoch, retry->epoch);
  flush({accept(claimed.works[0]), accept(claimed.works[1])});
  complete({job.id});
  expect_closed(job.id, 10);
}

TEST_P(store_contract, a_completion_lost_in_a_crash_is_made_up_for) {
  add_subscribers("news", 10);
  const auto job = topic_job("news");
  commit(job);
  plan_all();
  const auto work = claim_all().works.at(0);
  flush({accept(work, 0, 4)});
  flush({accept(work, 4, 6)});
  crash_and_reopen();
  EXPECT_EQ(view(job.id).status, job_status::in_progress);
  EXPECT_EQ(sweep().completed, 1u);
  expect_closed(job.id, 10);
  EXPECT_EQ(sweep().completed, 0u);
}

TEST_P(store_contract, planning_goes_on_after_a_crash) {
  add_subscribers("news", 500);
  const auto job = topic_job("news");
  commit(job);
  await<plan_result>([&](auto done) { store().jobs().plan("push", 1, std::move(done)); });
  crash_and_reopen();
  run_to_the_end();
  expect_closed(job.id, 500);
}

TEST_P(store_contract, steps_of_one_plan_that_overlap_plan_nothing_twice) {
  add_subscribers("news", 200);
  const auto job = topic_job("news");
  commit(job);
  std::vector<std::promise<void>> steps(16);
  for (auto& step : steps)
    store().jobs().plan("push", 1, [&step](const result<plan_result>&) { step.set_value(); });
  for (auto& step : steps)
    step.get_future().wait();
  run_to_the_end();
  expect_closed(job.id, 200);
}

TEST_P(store_contract, a_failed_claim_or_plan_leaves_all_as_it_was) {
  add_subscribers("news", 10);
  const auto job = topic_job("news");
  fail_commits(true);
  EXPECT_EQ(commit(job).code, errc::unavailable);
  fail_commits(false);
  EXPECT_EQ(get(job.id).code, errc::not_found);
  EXPECT_EQ(commit(job).code, errc::ok);
  EXPECT_EQ(view(job.id).lane, "push") << "the lane's row was rolled back as well";
  fail_commits(true);
  EXPECT_EQ(await<plan_result>([&](auto done) {
              store().jobs().plan("push", 1'000, std::move(done));
            }).code,
            errc::unavailable);
  fail_commits(false);
  plan_all();
  fail_commits(true);
  EXPECT_EQ(await<claim_result>([&](auto done) {
              store().jobs().claim({"push", {{apns, 10}}, 64, lease}, std::move(done));
            }).code,
            errc::unavailable);
  fail_commits(false);
  run_to_the_end();
  expect_closed(job.id, 10);
}

TEST_P(store_contract, a_lease_that_ended_in_a_transaction_that_failed_ends_in_the_next) {
  add_token("ann", "phone");
  commit(user_job("ann"), true);
  advance(lease);
  fail_commits(true);
  EXPECT_EQ(await<claim_result>([&](auto done) {
              store().jobs().claim({"push", {{apns, 10}}, 64, lease}, std::move(done));
            }).code,
            errc::unavailable);
  fail_commits(false);
  EXPECT_THAT(claim_all().works, SizeIs(1));
}

} // namespace
} // namespace signalbox::contract
