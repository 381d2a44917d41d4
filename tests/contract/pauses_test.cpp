// The emergency stop: pauses and the bulk cancel.

#include "tests/contract/store_contract.hpp"

#include <gmock/gmock.h>

#include <tuple>

namespace signalbox::contract {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

using namespace std::chrono_literals;

work_rule rule_of_topic(const std::string& topic) {
  work_rule rule;
  rule.topic = topic;
  return rule;
}

work_rule rule_of_job(const job_id& job) {
  work_rule rule;
  rule.job = job;
  return rule;
}

work_rule rule_of_lane(const std::string& lane) {
  work_rule rule;
  rule.lane = lane;
  return rule;
}

class paused : public store_contract {
protected:
  void send_rest(const job_id& job, std::int64_t total) {
    run_to_the_end();
    expect_closed(job, total);
    EXPECT_EQ(view(job).counts.accepted, total);
  }

  // A job with chunks, one of them claimed, and a due retry.
  void start(int targets = 30, int chunk = 10) {
    add_subscribers("news", targets);
    job = topic_job("news");
    commit(job);
    plan_all(static_cast<std::size_t>(chunk));
    work = claim({{apns, 1}}).works.at(0);
    flush({others(work, {retry_of(work, 0, 0ms)})});
  }

  new_job job;
  work_ptr work;
};

INSTANTIATE_TEST_SUITE_P(stores, paused, testing::ValuesIn(store_kinds()),
                         [](const auto& info) { return info.param.name; });

TEST_P(paused, a_job_of_many_chunks_does_not_end_without_what_is_parked) {
  add_subscribers("news", 60);
  job = topic_job("news");
  commit(job);
  plan_all(10);
  const auto leased = claim({{apns, 10}}).works;
  ASSERT_THAT(leased, SizeIs(1));
  const auto stop = pause(rule_of_topic("news"));
  EXPECT_THAT(claim_all().works, IsEmpty());
  flush({accept(leased[0])});
  EXPECT_THAT(complete({job.id}), IsEmpty());
  EXPECT_FALSE(view(job.id).completed_at);
  EXPECT_EQ(resume(stop.id), errc::ok);
  send_rest(job.id, 60);
}

TEST_P(paused, a_rule_for_a_topic_leaves_the_user_of_that_name_alone_and_the_other_way_round) {
  add_token("x", "phone", {"x"});
  auto by_user = work_rule{};
  by_user.user = "x";
  for (const auto& [rule, free, held] :
       {std::tuple{rule_of_topic("x"), user_job("x"), topic_job("x")},
        std::tuple{by_user, topic_job("x"), user_job("x")}}) {
    const auto stop = pause(rule);
    commit(free);
    commit(held);
    plan_all();
    const auto works = claim_all().works;
    ASSERT_THAT(works, SizeIs(1));
    EXPECT_EQ(works[0]->key.job, free.id);
    EXPECT_FALSE(view(free.id).paused);
    EXPECT_TRUE(view(held.id).paused);
    flush({accept(works[0])});
    EXPECT_EQ(resume(stop.id), errc::ok);
    run_to_the_end();
  }
}

TEST_P(paused, nothing_is_claimed_of_what_any_rule_covers) {
  start();
  work_rule app;
  app.app = default_app;
  work_rule provider;
  provider.provider = platform::apns;
  work_rule env;
  env.env = environment::production;
  auto both = rule_of_topic("news");
  both.lane = "push";
  both.provider = platform::apns;
  for (const auto& rule : {app, rule_of_lane("push"), rule_of_topic("news"), rule_of_job(job.id),
                           provider, env, both}) {
    const auto made = pause(rule);
    EXPECT_EQ(made.rule, rule);
    EXPECT_THAT(claim_all().works, IsEmpty());
    EXPECT_THAT(claim({}).refused, IsEmpty()) << "it asks for no credit";
    EXPECT_FALSE(sweep().work_due) << "and hints at nothing";
    EXPECT_TRUE(view(job.id).paused);
    EXPECT_EQ(resume(made.id), errc::ok);
    EXPECT_FALSE(view(job.id).paused);
    EXPECT_TRUE(sweep().work_due);
    const auto works = claim_all().works;
    EXPECT_THAT(works, SizeIs(3)) << "the retry and two chunks";
    release(works);
  }
  flush({accept(work, 1, 9)});
  send_rest(job.id, 30);
}

TEST_P(paused, a_rule_is_a_conjunction) {
  start();
  auto other_lane = rule_of_topic("news");
  other_lane.lane = "bulk";
  auto other_app = rule_of_job(job.id);
  other_app.app = 7;
  auto other_provider = rule_of_job(job.id);
  other_provider.provider = platform::fcm;
  work_rule user;
  user.user = "news"; // a topic's job, not a user's
  for (const auto& rule : {other_lane, other_app, other_provider, user, rule_of_topic("other")})
    pause(rule);
  EXPECT_THAT(claim_all().works, SizeIs(3));
}

TEST_P(paused, a_job_of_a_user_is_not_taken_with_its_commit_and_waits) {
  add_token("ann", "phone");
  work_rule rule;
  rule.user = "ann";
  const auto made = pause(rule);
  const auto job = user_job("ann");
  EXPECT_THAT(commit(job, true).taken, IsEmpty());
  EXPECT_THAT(claim_all().works, IsEmpty());
  add_token("bob", "tablet");
  EXPECT_THAT(commit(user_job("bob"), true).taken, SizeIs(1));
  resume(made.id);
  EXPECT_EQ(claim_all().works.at(0)->key.job, job.id);
}

TEST_P(paused, a_provider_is_paused_and_the_other_goes_on) {
  add_token("ann", "phone");
  add_token("ann", "pixel", {}, fcm);
  auto rule = rule_of_lane("push");
  rule.provider = platform::apns;
  pause(rule);
  const auto job = user_job("ann");
  EXPECT_THAT(commit(job, true).taken, IsEmpty());
  const auto works = claim_all().works;
  ASSERT_THAT(works, SizeIs(1));
  EXPECT_EQ(works[0]->dest, fcm);
  auto of_job = rule_of_job(job.id);
  of_job.provider = platform::fcm;
  pause(of_job);
  release(works);
  EXPECT_THAT(claim_all().works, IsEmpty());
}

TEST_P(paused, renewals_tell_the_owner) {
  start();
  EXPECT_FALSE(renew({work}).leases.at(0).paused);
  const auto retry = claim({{apns, 1}}).works.at(0);
  ASSERT_EQ(retry->kind, work_kind::retry);
  const auto made = pause(rule_of_topic("news"));
  for (const auto& one : renew({work, retry}).leases) {
    EXPECT_TRUE(one.held);
    EXPECT_TRUE(one.paused);
  }
  release({work, retry});
  EXPECT_THAT(claim_all().works, IsEmpty());
  resume(made.id);
  send_rest(job.id, 30);
}

TEST_P(paused, it_survives_a_restart) {
  start();
  const auto made = pause(rule_of_topic("news"), "wrong text");
  crash_and_reopen();
  EXPECT_THAT(claim_all().works, IsEmpty());
  EXPECT_TRUE(view(job.id).paused);
  ASSERT_THAT(pauses(), SizeIs(1));
  EXPECT_EQ(pauses()[0].id, made.id);
  EXPECT_EQ(pauses()[0].rule, made.rule);
  EXPECT_EQ(pauses()[0].reason, "wrong text");
  EXPECT_EQ(pauses()[0].created_at, made.created_at);
  resume(made.id);
  crash_and_reopen(); // before what was parked is given back, perhaps
  EXPECT_THAT(pauses(), IsEmpty());
  send_rest(job.id, 30);
}

TEST_P(paused, every_part_of_a_rule_survives_a_restart) {
  work_rule rule;
  rule.app = 3;
  rule.lane = "push";
  rule.topic = "news";
  rule.user = "ann";
  rule.job = make_uuid_v7(now());
  rule.provider = platform::fcm;
  rule.env = environment::sandbox;
  pause(rule);
  crash_and_reopen();
  EXPECT_EQ(pauses().at(0).rule, rule);
}

TEST_P(paused, a_pause_that_was_not_committed_does_not_hold) {
  start();
  fail_commits(true);
  EXPECT_EQ(await<pause_view>([&](auto done) {
              store().control().pause(rule_of_topic("news"), "", std::move(done));
            }).code,
            errc::unavailable);
  fail_commits(false);
  EXPECT_THAT(claim_all().works, SizeIs(3));
}

TEST_P(paused, the_same_rule_again_is_the_same_pause) {
  const auto first = pause(rule_of_topic("news"), "one");
  const auto second = pause(rule_of_topic("news"), "two");
  EXPECT_EQ(second.id, first.id);
  EXPECT_FALSE(first.existed);
  EXPECT_TRUE(second.existed);
  EXPECT_EQ(second.reason, "one");
  EXPECT_TRUE(second.existed);
  EXPECT_FALSE(first.existed);
  const auto other = pause(rule_of_topic("other"));
  EXPECT_THAT(pauses(), SizeIs(2));
  EXPECT_EQ(resume(first.id), errc::ok);
  EXPECT_EQ(resume(first.id), errc::not_found);
  EXPECT_EQ(pauses().at(0).id, other.id);
  EXPECT_NE(pause(rule_of_topic("news")).id, first.id);
}

TEST_P(paused, pauses_are_listed_page_by_page) {
  for (const auto* topic : {"a", "b", "c"})
    pause(rule_of_topic(topic));
  const auto list = [&](const std::string& after) {
    return await<page_of<pause_view>>([&](auto done) {
             store().control().list_pauses({after, 2}, std::move(done));
           })
      .value;
  };
  const auto first = list({});
  ASSERT_THAT(first.items, SizeIs(2));
  const auto second = list(first.next);
  ASSERT_THAT(second.items, SizeIs(1));
  EXPECT_EQ(second.items[0].rule.topic, "c");
  EXPECT_EQ(second.next, "");
}

TEST_P(paused, a_rule_that_names_nothing_is_refused) {
  EXPECT_EQ(
    await<pause_view>([&](auto done) { store().control().pause({}, "", std::move(done)); }).code,
    errc::invalid);
  work_rule provider;
  provider.provider = platform::apns;
  for (const auto& rule : {work_rule{}, provider})
    EXPECT_EQ(await<cancel_result>([&](auto done) {
                store().control().cancel_jobs(rule, std::nullopt, std::move(done));
              }).code,
              errc::invalid);
}

TEST_P(paused, what_lies_behind_a_large_paused_job_is_found_at_once) {
  add_subscribers("news", 250);
  add_token("ann", "phone");
  const auto big = topic_job("news");
  commit(big);
  plan_all(1);
  for (const auto& work : claim({{apns, 200}}, 200).works)
    flush({others(work, {retry_of(work, 0, 0ms)})});
  pause(rule_of_topic("news"));
  const auto ann = user_job("ann");
  commit(ann);
  const auto claimed = claim({{apns, 10}}).works;
  ASSERT_THAT(claimed, SizeIs(1)) << "in the first claim";
  EXPECT_EQ(claimed[0]->key.job, ann.id);
  EXPECT_FALSE(sweep().work_due);
}

TEST_P(paused, so_is_what_lies_behind_very_many_paused_jobs) {
  add_token("ann", "phone");
  add_token("bob", "tablet");
  for (int group = 0; group < 5; ++group) {
    std::vector<job_submission> jobs;
    for (int i = 0; i < 1'000; ++i)
      jobs.push_back({user_job("ann"), false});
    ASSERT_TRUE(await<std::vector<commit_result>>([&](auto done) {
                  store().jobs().commit_jobs(jobs, lease, std::move(done));
                }).ok());
  }
  work_rule rule;
  rule.user = "ann";
  const auto made = pause(rule);
  const auto bob = user_job("bob");
  commit(bob);
  const auto claimed = claim_all().works;
  ASSERT_THAT(claimed, SizeIs(1));
  EXPECT_EQ(claimed[0]->key.job, bob.id);
  EXPECT_FALSE(sweep().work_due);
  EXPECT_EQ(measure().ready_chunks, 0);
  resume(made.id);
  for (int i = 0; i < 10; ++i)
    sweep();
  EXPECT_EQ(measure().ready_chunks, 5'000);
}

TEST_P(paused, a_resume_gives_back_only_what_no_other_pause_covers) {
  add_subscribers("news", 3);
  add_subscribers("offers", 2, "o");
  const auto news = topic_job("news");
  const auto offers = topic_job("offers");
  commit(news);
  commit(offers);
  plan_all();
  const auto both = pause(rule_of_topic("news"));
  pause(rule_of_job(news.id));
  const auto other = pause(rule_of_topic("offers"));
  EXPECT_THAT(claim_all().works, IsEmpty());
  resume(both.id);
  resume(other.id);
  sweep();
  const auto works = claim_all().works;
  ASSERT_THAT(works, SizeIs(1));
  EXPECT_EQ(works[0]->key.job, offers.id);
}

TEST_P(paused, a_resume_gives_back_the_retries_of_one_job_and_the_chunks_of_another) {
  add_subscribers("news", 2);
  const auto older = topic_job("news");
  commit(older);
  plan_all();
  const auto work = claim_all().works.at(0);
  flush({others(work, {retry_of(work, 0, 0ms)}), accept(work, 1, 1)});
  commit(topic_job("news"));
  plan_all();
  const auto made = pause(rule_of_topic("news"));
  EXPECT_THAT(claim_all().works, IsEmpty());
  resume(made.id);
  sweep();
  const auto works = claim_all().works;
  ASSERT_THAT(works, SizeIs(2));
  EXPECT_EQ(works[0]->kind, work_kind::retry);
  EXPECT_EQ(works[0]->key.job, older.id);
}

TEST_P(paused, planning_goes_no_further_ahead_for_a_paused_job) {
  add_subscribers("news", 400);
  const auto job = topic_job("news");
  commit(job);
  const auto made = pause(rule_of_topic("news"));
  plan_all(1);
  claim_all();
  EXPECT_EQ(plan_all(1), 0u);
  EXPECT_LE(view(job.id).planned, 256);
  resume(made.id);
  send_rest(job.id, 400);
}

TEST_P(paused, a_paused_job_can_be_cancelled_and_closes) {
  start();
  pause(rule_of_topic("news"));
  EXPECT_THAT(claim_all().works, IsEmpty());
  cancel(job.id);
  flush({accept(work, 1, 9)});
  complete({job.id});
  sweep();
  expect_closed(job.id, 30);
  EXPECT_EQ(view(job.id).counts, (job_counts{9, 0, 0, 0, 21}));
  EXPECT_FALSE(view(job.id).paused);
}

TEST_P(paused, a_paused_job_expires_as_any_other) {
  add_subscribers("news", 3);
  auto job = topic_job("news");
  job.options.ttl = 60s;
  commit(job);
  plan_all();
  pause(rule_of_topic("news"));
  EXPECT_THAT(claim_all().works, IsEmpty());
  advance(61s);
  EXPECT_EQ(sweep().expired, 1u);
  sweep();
  expect_closed(job.id, 3);
  EXPECT_EQ(view(job.id).counts.expired, 3);
}

TEST_P(paused, a_closed_store_refuses_every_call) {
  store().close();
  auto& control = store().control();
  auto& office = store().office();
  EXPECT_EQ(resume(1), errc::stopping);
  EXPECT_EQ(await<pause_view>([&](auto done) {
              control.pause(rule_of_topic("news"), {}, std::move(done));
            }).code,
            errc::stopping);
  EXPECT_EQ(await<cancel_result>([&](auto done) {
              control.cancel_jobs(rule_of_topic("news"), std::nullopt, std::move(done));
            }).code,
            errc::stopping);
  EXPECT_EQ(await<replay_result>([&](auto done) {
              office.replay_dead_letters({}, false, std::move(done));
            }).code,
            errc::stopping);
  EXPECT_EQ(await<dead_letter_count>([&](auto done) {
              office.delete_dead_letters({}, std::move(done));
            }).code,
            errc::stopping);
  EXPECT_EQ(
    await<backlog>([&](auto done) { store().jobs().measure("push", std::move(done)); }).code,
    errc::stopping);
  EXPECT_EQ(
    await<sweep_result>([&](auto done) { store().jobs().sweep({"push"}, std::move(done)); }).code,
    errc::stopping);
}

TEST_P(paused, bulk_cancel_takes_open_jobs_that_fit_oldest_first_in_slices) {
  add_token("ann", "phone");
  add_token("bob", "tablet");
  std::vector<job_id> of_ann;
  for (int i = 0; i < 130; ++i) {
    const auto job = user_job("ann");
    commit(job);
    of_ann.push_back(job.id);
  }
  const auto bob = user_job("bob");
  commit(bob);
  advance(1s);
  const auto late = user_job("ann");
  commit(late);
  work_rule rule;
  rule.user = "ann";
  const auto first = cancel_jobs(rule, now());
  EXPECT_TRUE(first.more);
  ASSERT_FALSE(first.cancelled.empty());
  EXPECT_THAT(first.cancelled,
              testing::ElementsAreArray(of_ann.begin(), of_ann.begin() + first.cancelled.size()));
  crash_and_reopen(); // half-way
  const auto second = cancel_jobs(rule, now());
  EXPECT_FALSE(second.more);
  EXPECT_EQ(first.cancelled.size() + second.cancelled.size(), of_ann.size());
  EXPECT_THAT(cancel_jobs(rule, now()).cancelled, IsEmpty());
  sweep();
  for (const auto& id : of_ann) {
    EXPECT_EQ(view(id).status, job_status::cancelled);
    expect_closed(id, 1);
  }
  EXPECT_EQ(view(bob.id).status, job_status::queued);
  EXPECT_EQ(view(late.id).status, job_status::queued);
}

TEST_P(paused, bulk_cancel_goes_by_app_lane_topic_and_job) {
  start();
  auto bulk = topic_job("news");
  bulk.lane = "bulk";
  commit(bulk);
  EXPECT_THAT(cancel_jobs(rule_of_lane("bulk")).cancelled, ElementsAre(bulk.id));
  work_rule app;
  app.app = 2;
  EXPECT_THAT(cancel_jobs(app).cancelled, IsEmpty());
  EXPECT_THAT(cancel_jobs(rule_of_topic("other")).cancelled, IsEmpty());
  EXPECT_THAT(cancel_jobs(rule_of_job(job.id)).cancelled, ElementsAre(job.id));
  flush({accept(work, 1, 9)});
  complete({job.id});
  for (int i = 0; i < 3; ++i)
    sweep();
  expect_closed(job.id, 30);
}

TEST_P(paused, what_is_late_expires_without_a_resume) {
  add_subscribers("news", 30);
  job = topic_job("news");
  job.options.ttl = 60s;
  commit(job);
  plan_all(10);
  work = claim({{apns, 1}}).works.at(0);
  auto batch = accept(work, 1, 9);
  batch.others.push_back(retry_of(work, 0, 10s));
  flush({batch});
  pause(rule_of_topic("news"));
  advance(59s);
  EXPECT_THAT(claim_all().works, IsEmpty());
  while (sweep().more) {
  }
  EXPECT_EQ(view(job.id).counts.expired, 0);
  advance(2s);
  while (sweep().more) {
  }
  expect_closed(job.id, 30);
  const auto ended = view(job.id);
  EXPECT_EQ(ended.status, job_status::completed);
  EXPECT_EQ(ended.counts.accepted, 9);
  EXPECT_EQ(ended.counts.expired, 21);
  EXPECT_THAT(receipts(job.id), SizeIs(21)) << "each is told";
}

TEST_P(paused, also_where_a_destination_is_paused_and_planning_is_not_done) {
  add_subscribers("news", 2'000);
  job = topic_job("news");
  job.options.expires_at = now() + 60s;
  commit(job);
  work_rule all_of_apns;
  all_of_apns.provider = platform::apns;
  plan_all(1); // as far ahead as it may be
  work = claim({{apns, 1}}, 1).works.at(0);
  flush({accept(work)});
  pause(all_of_apns);
  advance(61s);
  for (int round = 0; round < 1'000 && !view(job.id).completed_at; ++round) {
    sweep();
    advance(2s);
    plan_all(1);
  }
  expect_closed(job.id, 2'000);
  EXPECT_EQ(view(job.id).counts.expired, 1'999);
}

} // namespace
} // namespace signalbox::contract
