#include "tests/contract/store_contract.hpp"

#include <gmock/gmock.h>

#include <set>

namespace signalbox::contract {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::UnorderedElementsAre;

TEST_P(store_contract, a_taken_user_job_comes_back_as_work_and_completes) {
  add_token("ann", "phone");
  const auto job = user_job("ann");
  const auto committed = commit(job, true);
  ASSERT_EQ(committed.code, errc::ok) << committed.message;
  EXPECT_EQ(committed.status, job_status::in_progress);
  ASSERT_EQ(committed.taken.size(), 1u);
  const auto work = committed.taken[0];
  EXPECT_EQ(work->kind, work_kind::chunk);
  EXPECT_EQ(work->key, (chunk_key{job.id, 0}));
  EXPECT_EQ(work->dest, apns);
  EXPECT_THAT(tokens_in(work), ElementsAre("phone"));
  EXPECT_EQ(work->job->id, job.id);
  EXPECT_EQ(work->job->payload, job.payload);
  EXPECT_GT(work->lease_deadline, boot_clock::now());
  EXPECT_EQ(view(job.id).pending(), 1);
  EXPECT_EQ(view(job.id).total, 1);
  EXPECT_THAT(claim_all().works, IsEmpty()) << "it is claimed already";

  const auto flushed = flush({accept(work)});
  EXPECT_EQ(flushed.stale, 0u);
  // By the flush itself, or after it.
  const auto later = complete(flushed.finished_chunks_of);
  EXPECT_EQ(flushed.completed.size() + later.size(), 1u);
  expect_closed(job.id, 1);
  EXPECT_EQ(view(job.id).status, job_status::completed);
  EXPECT_EQ(view(job.id).counts.accepted, 1);
  EXPECT_THAT(complete({job.id}), IsEmpty()) << "only once";
}

TEST_P(store_contract, open_jobs_are_counted_by_lane) {
  add_token("ann", "phone");
  const auto open = [this] {
    std::vector<std::string> counts;
    for (const auto& each : await<std::vector<lane_jobs>>([this](auto done) {
                              store().reader().count_open_jobs(std::move(done));
                            }).value)
      counts.push_back(each.lane + " " + std::to_string(each.open));
    return counts;
  };
  EXPECT_THAT(open(), IsEmpty());
  auto job = user_job("ann");
  const auto lane = job.lane;
  commit(job);
  for (int i = 0; i < 2; ++i) {
    job = user_job("ann");
    job.lane = "bulk";
    commit(job);
  }
  EXPECT_THAT(open(), UnorderedElementsAre(lane + " 1", "bulk 2"));
  cancel(job.id);
  sweep();
  EXPECT_THAT(open(), UnorderedElementsAre(lane + " 1", "bulk 1"));
}

TEST_P(store_contract, a_job_that_is_not_taken_waits_for_a_claim) {
  add_token("ann", "phone");
  const auto job = user_job("ann");
  const auto committed = commit(job);
  EXPECT_EQ(committed.status, job_status::queued);
  EXPECT_THAT(committed.taken, IsEmpty());
  const auto claimed = claim_all();
  ASSERT_EQ(claimed.works.size(), 1u);
  EXPECT_THAT(tokens_in(claimed.works[0]), ElementsAre("phone"));
  EXPECT_EQ(claimed.works[0]->job->payload, job.payload);
  EXPECT_EQ(view(job.id).status, job_status::in_progress);
}

TEST_P(store_contract, a_user_with_tokens_of_every_pool_gets_a_chunk_for_each) {
  add_token("ann", "a1");
  add_token("ann", "a2");
  add_token("ann", "s1", {}, sandbox);
  add_token("ann", "f1", {}, fcm);
  const auto job = user_job("ann");
  const auto committed = commit(job, true);
  ASSERT_EQ(committed.taken.size(), 3u);
  EXPECT_EQ(committed.taken[0]->dest, apns);
  EXPECT_THAT(tokens_in(committed.taken[0]), UnorderedElementsAre("a1", "a2"));
  EXPECT_EQ(committed.taken[1]->dest, sandbox);
  EXPECT_EQ(committed.taken[2]->dest, fcm);
  EXPECT_THAT(flush({accept(committed.taken[0]), accept(committed.taken[1])}).finished_chunks_of,
              ElementsAre(job.id));
  EXPECT_THAT(complete({job.id}), IsEmpty());
  flush({accept(committed.taken[2])});
  EXPECT_THAT(complete({job.id}), ElementsAre(job.id));
  expect_closed(job.id, 4);
}

TEST_P(store_contract, a_user_without_tokens_completes_at_once) {
  await<put_outcome>(
    [&](auto done) { store().users().put_user(default_app, "ann", std::move(done)); });
  const auto job = user_job("ann");
  const auto committed = commit(job, true);
  EXPECT_EQ(committed.code, errc::ok);
  EXPECT_EQ(committed.status, job_status::completed);
  expect_closed(job.id, 0);
}

TEST_P(store_contract, who_is_unknown_is_not_found_and_hurts_no_other_job) {
  add_token("ann", "phone");
  std::vector<job_submission> group;
  group.push_back({user_job("nobody"), true});
  group.push_back({user_job("ann"), true});
  group.push_back({topic_job("nothing"), true});
  group.push_back({users_job({"nobody", "no one"}), true});
  group.push_back({users_job({"nobody", "ann"}), true});
  const auto good = group[1].job.id;
  const auto answer = await<std::vector<commit_result>>(
    [&](auto done) { store().jobs().commit_jobs(group, lease, std::move(done)); });
  ASSERT_TRUE(answer.ok()) << answer.message;
  EXPECT_EQ(answer.value[0].code, errc::not_found);
  EXPECT_THAT(answer.value[0].message, testing::HasSubstr("nobody"));
  EXPECT_EQ(answer.value[1].code, errc::ok);
  EXPECT_EQ(answer.value[2].code, errc::not_found);
  EXPECT_EQ(answer.value[3].code, errc::not_found);
  EXPECT_EQ(answer.value[4].code, errc::ok);
  EXPECT_EQ(targets_in(answer.value[4].taken), 1u);
  EXPECT_EQ(get(group[0].job.id).code, errc::not_found);
  EXPECT_EQ(view(good).total, 1);
}

TEST_P(store_contract, a_job_of_an_unknown_app_is_not_found) {
  auto few = tokens_job({{platform::apns, environment::production, "t"}});
  few.app = 77;
  EXPECT_EQ(commit(few).code, errc::not_found);
  auto later = few;
  later.not_before = now() + std::chrono::minutes{1};
  EXPECT_EQ(commit(later).code, errc::not_found);
}

TEST_P(store_contract, the_same_job_id_twice_is_a_conflict_for_the_second_alone) {
  add_token("ann", "phone");
  const auto job = user_job("ann");
  const auto other = user_job("ann");
  const auto answer = await<std::vector<commit_result>>([&](auto done) {
    store().jobs().commit_jobs({{job, true}, {job, true}, {other, true}}, lease, std::move(done));
  });
  ASSERT_TRUE(answer.ok());
  EXPECT_EQ(answer.value[0].code, errc::ok);
  EXPECT_EQ(answer.value[1].code, errc::conflict);
  EXPECT_EQ(answer.value[2].code, errc::ok);
  EXPECT_EQ(view(job.id).total, 1);
}

TEST_P(store_contract, a_topic_job_is_planned_claimed_and_closed) {
  add_subscribers("news", 2'500);
  add_subscribers("news", 300, "f", fcm);
  const auto job = topic_job("news");
  const auto committed = commit(job, true);
  EXPECT_EQ(committed.status, job_status::queued);
  EXPECT_THAT(committed.taken, IsEmpty());
  EXPECT_EQ(view(job.id).total, std::nullopt) << "nobody knows yet";
  EXPECT_EQ(plan_all(), 4u);
  EXPECT_EQ(view(job.id).total, 2'800);
  const auto claimed = claim_all();
  ASSERT_EQ(claimed.works.size(), 4u);
  std::set<std::string> tokens;
  std::vector<outcome_batch> batches;
  for (const auto& work : claimed.works) {
    EXPECT_LE(work->size(), 1'000u);
    for (const auto& token : tokens_in(work))
      EXPECT_TRUE(tokens.insert(token).second) << token;
    batches.push_back(accept(work));
  }
  EXPECT_EQ(tokens.size(), 2'800u);
  EXPECT_THAT(flush(batches).finished_chunks_of, ElementsAre(job.id));
  EXPECT_THAT(complete({job.id}), ElementsAre(job.id));
  expect_closed(job.id, 2'800);
}

TEST_P(store_contract, a_topic_without_tokens_completes_with_its_planning) {
  await<put_outcome>(
    [&](auto done) { store().topics().put_topic(default_app, "news", {}, std::move(done)); });
  const auto job = topic_job("news");
  EXPECT_EQ(commit(job).status, job_status::queued);
  plan_all();
  expect_closed(job.id, 0);
  EXPECT_EQ(view(job.id).status, job_status::completed);
}

TEST_P(store_contract, outcomes_may_come_before_the_total_is_known) {
  add_subscribers("news", 200);
  const auto job = topic_job("news");
  commit(job);
  // Chunks of one: 64 a step.
  await<plan_result>([&](auto done) { store().jobs().plan("push", 1, std::move(done)); });
  auto claimed = claim_all();
  ASSERT_FALSE(claimed.works.empty());
  EXPECT_LE(claimed.works.size(), 64u);
  for (const auto& work : claimed.works)
    flush({accept(work)});
  EXPECT_THAT(complete({job.id}), IsEmpty());
  EXPECT_EQ(view(job.id).total, std::nullopt);
  EXPECT_EQ(view(job.id).counts.accepted, static_cast<std::int64_t>(claimed.works.size()));
  run_to_the_end();
  expect_closed(job.id, 200);
}

TEST_P(store_contract, planning_stays_less_than_256_chunks_ahead_and_goes_on_after_claims) {
  add_subscribers("news", 600);
  const auto job = topic_job("news");
  commit(job);
  EXPECT_EQ(plan_all(1), 256u);
  EXPECT_EQ(view(job.id).total, std::nullopt);
  EXPECT_TRUE(sweep().plan_due);
  const auto claimed = claim({{apns, 100}}, 1'000);
  EXPECT_EQ(claimed.works.size(), 100u);
  EXPECT_EQ(plan_all(1), 100u);
  for (const auto& work : claimed.works)
    flush({accept(work)});
  for (int i = 0; i < 10; ++i) {
    for (const auto& work : claim_all().works)
      flush({accept(work)});
    plan_all(1);
  }
  EXPECT_THAT(complete({job.id}), ElementsAre(job.id));
  expect_closed(job.id, 600);
}

TEST_P(store_contract, a_blocked_pool_holds_no_other_back) {
  add_subscribers("news", 400);
  add_subscribers("news", 400, "f", fcm);
  const auto job = topic_job("news");
  commit(job);
  std::size_t sent = 0;
  for (int i = 0; i < 20; ++i) {
    plan_all(1);
    for (const auto& work : claim({{fcm, 1'000}}, 1'000).works) {
      sent += work->targets.size();
      flush({accept(work)});
    }
  }
  EXPECT_EQ(sent, 400u) << "all of FCM's, though nothing was claimed of APNs";
}

TEST_P(store_contract, planning_takes_jobs_in_turn) {
  add_subscribers("news", 300);
  add_subscribers("tiny", 3, "x");
  const auto big = topic_job("news");
  const auto small = topic_job("tiny");
  commit(big);
  commit(small);
  for (int i = 0; i < 2; ++i)
    await<plan_result>([&](auto done) { store().jobs().plan("push", 1, std::move(done)); });
  EXPECT_EQ(view(small.id).total, 3);
  EXPECT_EQ(view(big.id).total, std::nullopt);
}

TEST_P(store_contract, a_step_plans_at_most_64_chunks_of_as_many_jobs_as_fit) {
  add_subscribers("news", 3);
  std::vector<new_job> jobs;
  for (int i = 0; i < 100; ++i) {
    jobs.push_back(topic_job("news"));
    commit(jobs.back());
  }
  const auto step =
    await<plan_result>([&](auto done) { store().jobs().plan("push", 1'000, std::move(done)); });
  EXPECT_LE(step.value.chunks, 64u);
  EXPECT_GT(step.value.chunks, 50u);
  EXPECT_TRUE(step.value.more);
  EXPECT_EQ(step.value.chunks + plan_all(), 100u);
  for (const auto& job : jobs)
    EXPECT_EQ(view(job.id).total, 3);
}

TEST_P(store_contract, a_users_job_of_many_is_planned) {
  add_subscribers("news", 1'500);
  std::vector<std::string> users;
  for (int i = 0; i < 1'500; ++i)
    users.push_back("u" + std::to_string(i));
  users.push_back("u7");
  users.push_back("nobody");
  const auto job = users_job(users);
  EXPECT_EQ(commit(job).status, job_status::queued);
  EXPECT_EQ(view(job.id).total, std::nullopt);
  run_to_the_end();
  expect_closed(job.id, 1'500);
  EXPECT_EQ(view(job.id).counts.accepted, 1'500);
}

TEST_P(store_contract, a_user_named_twice_is_sent_to_once) {
  add_token("ann", "phone");
  const auto committed = commit(users_job({"ann", "ann"}), true);
  EXPECT_EQ(targets_in(committed.taken), 1u);
}

TEST_P(store_contract, a_few_inline_tokens_are_committed_planned) {
  add_token("ann", "known");
  const auto job = tokens_job({{platform::apns, environment::production, "known"},
                               {platform::apns, environment::production, "new"},
                               {platform::apns, environment::production, "new"},
                               {platform::fcm, environment::production, "android"}});
  const auto committed = commit(job, true);
  ASSERT_EQ(committed.taken.size(), 2u);
  EXPECT_THAT(tokens_in(committed.taken[0]), UnorderedElementsAre("known", "new"));
  EXPECT_THAT(tokens_in(committed.taken[1]), ElementsAre("android"));
  EXPECT_EQ(tokens_of("ann").size(), 1u) << "the known one keeps its user";
  EXPECT_EQ(view(job.id).total, 3);
}

TEST_P(store_contract, many_inline_tokens_are_planned) {
  std::vector<inline_token> tokens;
  for (int i = 0; i < 2'300; ++i)
    tokens.push_back({i % 3 == 0 ? platform::fcm : platform::apns, environment::production,
                      "token" + std::to_string(i)});
  tokens.push_back(tokens.front());
  const auto job = tokens_job(tokens);
  EXPECT_EQ(commit(job, true).status, job_status::queued);
  run_to_the_end();
  expect_closed(job.id, 2'300);
  EXPECT_EQ(view(job.id).counts.accepted, 2'300);
}

TEST_P(store_contract, a_scheduled_job_starts_when_it_is_due) {
  add_token("ann", "phone");
  auto by_user = user_job("ann");
  by_user.not_before = now() + std::chrono::minutes{1};
  auto by_token = tokens_job({{platform::fcm, environment::production, "android"}});
  by_token.not_before = by_user.not_before;
  EXPECT_EQ(commit(by_user, true).status, job_status::scheduled);
  EXPECT_EQ(commit(by_token, true).status, job_status::scheduled);
  plan_all();
  EXPECT_EQ(sweep().released, 0u);
  EXPECT_THAT(claim_all().works, IsEmpty());
  EXPECT_EQ(view(by_user.id).not_before, by_user.not_before);
  add_token("ann", "tablet"); // in time: membership is what planning reads
  advance(std::chrono::minutes{1});
  const auto swept = sweep();
  EXPECT_EQ(swept.released, 2u);
  EXPECT_TRUE(swept.plan_due);
  EXPECT_EQ(view(by_user.id).status, job_status::queued);
  run_to_the_end();
  expect_closed(by_user.id, 2);
  expect_closed(by_token.id, 1);
}

TEST_P(store_contract, a_view_tells_what_was_asked_for) {
  add_token("ann", "phone");
  auto job = user_job("ann");
  job.options.expires_at = now() + std::chrono::hours{1};
  commit(job);
  const auto seen = view(job.id);
  EXPECT_EQ(seen.id, job.id);
  EXPECT_EQ(seen.lane, "push");
  EXPECT_EQ(seen.scope, scope_kind::user);
  EXPECT_EQ(seen.scope_name, "ann");
  EXPECT_EQ(seen.created_at, job.created_at);
  EXPECT_EQ(seen.expires_at, job.options.expires_at);
  EXPECT_FALSE(seen.not_before);
  EXPECT_FALSE(seen.completed_at);
  const auto other_app =
    await<job_view>([&](auto done) { store().reader().get_job(2, job.id, std::move(done)); });
  EXPECT_EQ(other_app.code, errc::not_found);
}

} // namespace
} // namespace signalbox::contract
