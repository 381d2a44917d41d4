// What happens to users, tokens and topics between planning and sending.

#include "tests/contract/store_contract.hpp"

#include <gmock/gmock.h>

namespace signalbox::contract {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;
using testing::UnorderedElementsAre;

using namespace std::chrono_literals;

class planned_topic : public store_contract {
protected:
  planned_topic() {
    add_subscribers("news", 4);
    job = topic_job("news");
    commit(job);
    plan_all();
  }

  // Claims, accepts what may be sent and closes the account.
  work_ptr finish() {
    const auto work = claim_all().works.at(0);
    flush({accept(work), settled(work)});
    complete({job.id});
    expect_closed(job.id, 4);
    EXPECT_EQ(view(job.id).counts.skipped, static_cast<std::int64_t>(work->settled.size()));
    return work;
  }

  new_job job;
};

INSTANTIATE_TEST_SUITE_P(stores, planned_topic, testing::ValuesIn(store_kinds()),
                         [](const auto& info) { return info.param.name; });

TEST_P(planned_topic, who_unsubscribed_is_skipped) {
  EXPECT_TRUE(await<unit>([&](auto done) {
                store().topics().unsubscribe(default_app, "u1", "news", std::move(done));
              }).ok());
  const auto work = finish();
  EXPECT_THAT(tokens_in(work), ElementsAre("t0", "t2", "t3"));
  ASSERT_THAT(work->settled, SizeIs(1));
  EXPECT_EQ(work->settled[0].reason, "unsubscribed");
  EXPECT_EQ(work->settled[0].index, 1u);
}

TEST_P(planned_topic, a_token_of_another_user_now_is_skipped) {
  add_token("eve", "t2", {"news"});
  const auto work = finish();
  EXPECT_THAT(tokens_in(work), ElementsAre("t0", "t1", "t3"));
  ASSERT_THAT(work->settled, SizeIs(1));
  EXPECT_EQ(work->settled[0].reason, "deleted");
}

TEST_P(planned_topic, a_deleted_user_is_skipped) {
  EXPECT_TRUE(await<unit>([&](auto done) {
                store().users().delete_user(default_app, "u0", std::move(done));
              }).ok());
  const auto work = finish();
  EXPECT_THAT(tokens_in(work), ElementsAre("t1", "t2", "t3"));
}

TEST_P(planned_topic, a_deleted_token_is_skipped) {
  EXPECT_TRUE(await<unit>([&](auto done) {
                store().users().delete_token(default_app, "u3", "t3", std::move(done));
              }).ok());
  EXPECT_THAT(tokens_in(finish()), ElementsAre("t0", "t1", "t2"));
}

TEST_P(planned_topic, an_invalidated_token_is_skipped) {
  const auto taken = commit(user_job("u2"), true).taken.at(0);
  auto dead = outcome_of(taken, 0, outcome_status::rejected);
  dead.invalidate = invalidation::bad_token;
  dead.reason = "BadDeviceToken";
  flush({others(taken, {dead})});
  const auto work = finish();
  ASSERT_THAT(work->settled, SizeIs(1));
  EXPECT_EQ(work->settled[0].reason, "invalidated");
}

TEST_P(planned_topic, a_deleted_topic_is_sent_to_nobody) {
  EXPECT_TRUE(await<unit>([&](auto done) {
                store().topics().delete_topic(default_app, "news", std::move(done));
              }).ok());
  // The same name again is another topic.
  add_subscribers("news", 4);
  const auto work = finish();
  EXPECT_THAT(work->targets, IsEmpty());
  EXPECT_THAT(work->settled, SizeIs(4));
}

TEST_P(planned_topic, who_joins_later_is_out) {
  add_subscribers("news", 2, "new");
  EXPECT_THAT(finish()->targets, SizeIs(4));
}

TEST_P(planned_topic, a_token_that_moved_to_another_environment_is_skipped) {
  add_token("u0", "t0", {}, sandbox);
  const auto work = finish();
  EXPECT_THAT(tokens_in(work), ElementsAre("t1", "t2", "t3"));
  EXPECT_EQ(tokens_of("u0").at(0).env, environment::sandbox);
}

TEST_P(planned_topic, a_retry_is_checked_again_too) {
  const auto work = claim_all().works.at(0);
  flush({accept(work, 0, 2), others(work, {retry_of(work, 2, 0ms), retry_of(work, 3, 0ms)})});
  add_token("eve", "t2");
  const auto retry = claim_all().works.at(0);
  EXPECT_THAT(tokens_in(retry), ElementsAre("t3"));
  EXPECT_THAT(retry->settled, SizeIs(1));
  flush({accept(retry), settled(retry)});
  complete({job.id});
  expect_closed(job.id, 4);
  EXPECT_EQ(view(job.id).counts.skipped, 1);
}

TEST_P(store_contract, an_invalidated_inline_token_is_skipped_taken_or_not) {
  add_token("ann", "phone");
  auto work = commit(user_job("ann"), true).taken.at(0);
  auto dead = outcome_of(work, 0, outcome_status::rejected);
  dead.invalidate = invalidation::bad_token;
  flush({others(work, {dead})});
  for (const bool take : {false, true}) {
    const auto job = tokens_job({{platform::apns, environment::production, "phone"},
                                 {platform::apns, environment::production, "other"}});
    const auto committed = commit(job, take);
    work = take ? committed.taken.at(0) : claim_all().works.at(0);
    EXPECT_THAT(tokens_in(work), ElementsAre("other"));
    ASSERT_THAT(work->settled, SizeIs(1));
    EXPECT_EQ(work->settled[0].reason, "invalidated");
    flush({accept(work), settled(work)});
    complete({job.id});
    expect_closed(job.id, 2);
    EXPECT_EQ(view(job.id).counts.skipped, 1);
  }
}

TEST_P(store_contract, a_topic_deleted_before_planning_reaches_nobody) {
  add_subscribers("news", 4);
  const auto job = topic_job("news");
  commit(job);
  await<unit>(
    [&](auto done) { store().topics().delete_topic(default_app, "news", std::move(done)); });
  run_to_the_end();
  expect_closed(job.id, 0);
}

TEST_P(store_contract, a_first_user_keeps_what_was_planned_for_a_userless_token) {
  add_token("", "t0", {"news"});
  const auto job = topic_job("news");
  commit(job);
  plan_all();
  add_token("ann", "t0");
  const auto work = claim_all().works.at(0);
  EXPECT_THAT(tokens_in(work), ElementsAre("t0"));
  EXPECT_THAT(tokens_of("ann"), SizeIs(1));
}

TEST_P(store_contract, a_user_job_skips_what_went_to_another_user) {
  add_token("ann", "phone");
  add_token("ann", "tablet");
  const auto job = user_job("ann");
  commit(job);
  add_token("bob", "phone");
  const auto work = claim_all().works.at(0);
  EXPECT_THAT(tokens_in(work), ElementsAre("tablet"));
  EXPECT_THAT(work->settled, SizeIs(1));
  EXPECT_THAT(tokens_of("ann"), SizeIs(1));
  EXPECT_THAT(tokens_of("bob"), SizeIs(1));
}

TEST_P(store_contract, topics_hold_users_tokens_times_their_subscriptions) {
  const auto count = [&](const std::string& topic) {
    return await<std::int64_t>(
             [&](auto done) { store().topics().count_topic(default_app, topic, std::move(done)); })
      .value;
  };
  const auto subscribe = [&](const std::string& user, const std::string& topic) {
    return await<put_outcome>([&](auto done) {
             store().topics().subscribe(default_app, user, topic, std::move(done));
           })
      .value;
  };
  add_token("ann", "phone");
  EXPECT_EQ(subscribe("ann", "news"), put_outcome::created);
  EXPECT_EQ(subscribe("ann", "news"), put_outcome::existing);
  EXPECT_EQ(subscribe("ann", "sport"), put_outcome::created);
  add_token("ann", "tablet");
  add_token("ann", "android", {}, fcm);
  EXPECT_EQ(count("news"), 3);
  EXPECT_EQ(count("sport"), 3);
  add_token("bob", "phone", {"sport"});
  EXPECT_EQ(count("news"), 2) << "bob does not read the news";
  EXPECT_EQ(count("sport"), 3);
  await<unit>(
    [&](auto done) { store().topics().unsubscribe(default_app, "ann", "sport", std::move(done)); });
  EXPECT_EQ(count("sport"), 1);
  await<unit>([&](auto done) { store().users().delete_user(default_app, "ann", std::move(done)); });
  EXPECT_EQ(count("news"), 0);
  EXPECT_EQ(count("sport"), 1);
}

TEST_P(store_contract, leaving_a_topic_takes_a_tokens_own_subscription_with_it) {
  add_token("", "t0", {"news"});
  add_token("ann", "t0");
  EXPECT_TRUE(await<unit>([&](auto done) {
                store().topics().unsubscribe(default_app, "ann", "news", std::move(done));
              }).ok());
  EXPECT_EQ(await<std::int64_t>([&](auto done) {
              store().topics().count_topic(default_app, "news", std::move(done));
            }).value,
            0);
  EXPECT_EQ(await<unit>([&](auto done) {
              store().topics().unsubscribe(default_app, "ann", "news", std::move(done));
            }).code,
            errc::not_found);
}

} // namespace
} // namespace signalbox::contract
