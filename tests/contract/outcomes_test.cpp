#include "tests/contract/store_contract.hpp"

#include <gmock/gmock.h>

#include <algorithm>

namespace signalbox::contract {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

using namespace std::chrono_literals;

// A topic of ten, committed, planned and claimed in one chunk.
class ten_claimed : public store_contract {
protected:
  ten_claimed() {
    add_subscribers("news", 10);
    job = topic_job("news");
  }

  void start() {
    ASSERT_EQ(commit(job).code, errc::ok);
    plan_all();
    const auto claimed = claim_all();
    ASSERT_THAT(claimed.works, SizeIs(1));
    work = claimed.works[0];
    ASSERT_THAT(work->targets, SizeIs(10));
  }

  outcome rejected(std::size_t position, std::string reason,
                   invalidation kill = invalidation::none) {
    auto one = outcome_of(work, position, outcome_status::rejected);
    one.reason = std::move(reason);
    one.invalidate = kill;
    return one;
  }

  new_job job;
  work_ptr work;
};

INSTANTIATE_TEST_SUITE_P(stores, ten_claimed, testing::ValuesIn(store_kinds()),
                         [](const auto& info) { return info.param.name; });

TEST_P(ten_claimed, a_replayed_flush_counts_nothing_twice) {
  start();
  auto batch = accept(work, 0, 6);
  batch.others.push_back(rejected(6, "PayloadTooLarge"));
  flush({batch});
  const auto first = view(job.id).counts;
  EXPECT_EQ(first.accepted, 6);
  EXPECT_EQ(first.rejected, 1);
  const auto again = flush({batch, batch});
  EXPECT_EQ(again.stale, 0u);
  EXPECT_THAT(again.finished_chunks_of, IsEmpty());
  EXPECT_EQ(view(job.id).counts, first);
  auto rest = accept(work, 5, 5); // overlaps
  rest.others.push_back(rejected(6, "PayloadTooLarge"));
  EXPECT_THAT(flush({rest}).finished_chunks_of, ElementsAre(job.id));
  EXPECT_THAT(flush({rest, batch}).finished_chunks_of, IsEmpty()) << "it is done already";
  complete({job.id});
  expect_closed(job.id, 10);
  EXPECT_EQ(view(job.id).counts.accepted, 9);
}

TEST_P(ten_claimed, every_kind_of_outcome_is_counted_as_what_it_is) {
  start();
  auto batch = accept(work, 0, 2);
  batch.others = {
    outcome_of(work, 2, outcome_status::rejected), outcome_of(work, 3, outcome_status::rejected),
    outcome_of(work, 4, outcome_status::rejected), outcome_of(work, 5, outcome_status::unknown),
    outcome_of(work, 6, outcome_status::unknown),  outcome_of(work, 7, outcome_status::expired),
    outcome_of(work, 8, outcome_status::skipped),  outcome_of(work, 9, outcome_status::skipped)};
  flush({batch});
  complete({job.id});
  EXPECT_EQ(view(job.id).counts, (job_counts{2, 3, 2, 1, 2}));
  expect_closed(job.id, 10);
}

TEST_P(ten_claimed, receipts_are_of_failures_by_default) {
  start();
  auto batch = accept(work, 0, 9);
  batch.others = {rejected(9, "BadDeviceToken")};
  flush({batch});
  const auto list = receipts(job.id);
  ASSERT_THAT(list, SizeIs(1));
  EXPECT_EQ(list[0].status, outcome_status::rejected);
  EXPECT_EQ(list[0].reason, "BadDeviceToken");
  EXPECT_EQ(list[0].token, work->token(work->targets[9]));
  EXPECT_EQ(list[0].provider, platform::apns);
  EXPECT_EQ(list[0].provider_id, push_id_source{job.id}.id_for(work->targets[9].id).to_string());
  EXPECT_EQ(list[0].at, now());
}

TEST_P(ten_claimed, a_receipt_keeps_the_providers_own_id_of_the_request) {
  start();
  auto batch = accept(work, 0, 8);
  batch.others = {rejected(8, "BadDeviceToken"), rejected(9, "BadDeviceToken")};
  batch.others[1].unique_id = "3f1d6c8a-0000-0000-0000-000000000001";
  flush({batch});
  const auto list = receipts(job.id);
  ASSERT_THAT(list, SizeIs(2));
  EXPECT_EQ(list[0].unique_id, "");
  EXPECT_EQ(list[1].unique_id, "3f1d6c8a-0000-0000-0000-000000000001");
}

class receipts_of_gone_tokens : public store_contract {
protected:
  receipts_of_gone_tokens() {
    add_token("ann", "phone", {"news"});
    add_token("ann", "android", {"news"}, fcm);
    job = topic_job("news");
    EXPECT_EQ(commit(job).code, errc::ok);
    plan_all();
  }

  /// The job's receipts, once both tokens are deleted: FCM's first.
  std::vector<receipt_view> receipts_without_tokens() {
    for (const auto* token : {"phone", "android"})
      EXPECT_TRUE(await<unit>([&](auto done) {
                    store().users().delete_token(default_app, "ann", token, std::move(done));
                  }).ok());
    auto list = receipts(job.id);
    EXPECT_THAT(list, SizeIs(2));
    std::sort(list.begin(), list.end(),
              [](const auto& a, const auto& b) { return a.provider > b.provider; });
    list.resize(2);
    return list;
  }

  void expect_origin(const std::vector<receipt_view>& list) {
    EXPECT_EQ(list[0].provider, platform::fcm);
    EXPECT_EQ(list[0].provider_id, "") << "FCM takes no id";
    EXPECT_EQ(list[0].token, "");
    EXPECT_EQ(list[1].provider, platform::apns);
    EXPECT_NE(list[1].provider_id, "");
  }

  new_job job;
};

INSTANTIATE_TEST_SUITE_P(stores, receipts_of_gone_tokens, testing::ValuesIn(store_kinds()),
                         [](const auto& info) { return info.param.name; });

TEST_P(receipts_of_gone_tokens, name_the_provider_that_was_asked) {
  for (const auto& work : claim_all().works)
    flush({others(work, {outcome_of(work, 0, outcome_status::rejected)})});
  expect_origin(receipts_without_tokens());
}

TEST_P(receipts_of_gone_tokens, name_it_when_a_retry_was_cut_short) {
  for (const auto& work : claim_all().works)
    flush({others(work, {retry_of(work, 0, 1min)})});
  cancel(job.id);
  sweep();
  expect_origin(receipts_without_tokens());
}

TEST_P(receipts_of_gone_tokens, name_it_when_the_owner_of_a_chunk_died_too_often) {
  for (int i = 0; i < 6; ++i) {
    claim_all();
    advance(lease + 1s);
    sweep();
  }
  expect_origin(receipts_without_tokens());
}

TEST_P(ten_claimed, receipts_of_all_or_none_are_what_they_say) {
  job.options.receipts = receipts_policy::all;
  start();
  auto batch = accept(work, 0, 7);
  batch.others = {rejected(7, "BadDeviceToken"), rejected(8, "BadDeviceToken"),
                  retry_of(work, 9, 1s)};
  flush({batch});
  EXPECT_THAT(receipts(job.id), SizeIs(9)) << "all but the one that is handed over";
  const auto reasons = await<std::vector<reason_count>>(
    [&](auto done) { store().reader().count_reasons(default_app, job.id, std::move(done)); });
  ASSERT_THAT(reasons.value, SizeIs(2));
  EXPECT_EQ(reasons.value[0].status, outcome_status::accepted);
  EXPECT_EQ(reasons.value[0].count, 7);
  EXPECT_EQ(reasons.value[1].reason, "BadDeviceToken");
  EXPECT_EQ(reasons.value[1].count, 2);

  job = topic_job("news");
  job.options.receipts = receipts_policy::none;
  start();
  auto quiet = accept(work, 0, 9);
  quiet.others = {rejected(9, "BadDeviceToken")};
  flush({quiet});
  EXPECT_THAT(receipts(job.id), IsEmpty());
}

TEST_P(ten_claimed, receipts_page) {
  job.options.receipts = receipts_policy::all;
  start();
  flush({accept(work)});
  page_request page{{}, 4};
  std::vector<std::string> seen;
  for (const std::size_t expected : {4u, 4u, 2u}) {
    const auto got = await<page_of<receipt_view>>([&](auto done) {
      store().reader().list_receipts(default_app, job.id, page, std::move(done));
    });
    ASSERT_THAT(got.value.items, SizeIs(expected));
    for (const auto& one : got.value.items)
      seen.push_back(one.token);
    page.after = got.value.next;
  }
  EXPECT_EQ(page.after, "");
  EXPECT_EQ(seen, tokens_in(work));
}

TEST_P(ten_claimed, an_old_epoch_changes_nothing_and_is_counted) {
  start();
  flush({accept(work, 0, 3)});
  const auto old = work;
  release({work});
  const auto claimed = claim_all();
  ASSERT_THAT(claimed.works, SizeIs(1));
  work = claimed.works[0];
  EXPECT_GT(work->epoch, old->epoch);
  EXPECT_THAT(work->targets, SizeIs(7)) << "what has an outcome is not sent again";
  auto late = accept(old);
  late.others.push_back(retry_of(old, 9, 0ms));
  const auto flushed = flush({late, accept(work, 0, 1)});
  EXPECT_EQ(flushed.stale, 11u);
  EXPECT_EQ(view(job.id).counts.accepted, 4);
  flush({accept(work)});
  complete({job.id});
  expect_closed(job.id, 10);
}

TEST_P(ten_claimed, an_outcome_for_a_lease_given_back_is_stale) {
  start();
  release({work});
  EXPECT_EQ(flush({accept(work)}).stale, 10u);
  EXPECT_EQ(view(job.id).pending(), 10);
}

TEST_P(ten_claimed, a_failed_flush_changes_nothing_and_can_be_repeated) {
  start();
  auto batch = accept(work, 0, 8);
  batch.others = {rejected(8, "BadDeviceToken", invalidation::bad_token), retry_of(work, 9, 1s)};
  fail_commits(true);
  const auto failed =
    await<flush_result>([&](auto done) { store().jobs().flush({batch}, std::move(done)); });
  EXPECT_EQ(failed.code, errc::unavailable);
  EXPECT_NE(failed.message, "");
  EXPECT_EQ(view(job.id).pending(), 10);
  EXPECT_THAT(receipts(job.id), IsEmpty());
  fail_commits(false);
  const auto flushed = flush({batch});
  EXPECT_EQ(flushed.invalidated, 1u);
  EXPECT_THAT(flushed.finished_chunks_of, ElementsAre(job.id));
  EXPECT_EQ(view(job.id).pending(), 1) << "the retry";
}

TEST_P(ten_claimed, a_retry_is_claimed_when_due_and_ends_in_its_chunks_counts) {
  start();
  auto batch = accept(work, 0, 8);
  batch.others = {retry_of(work, 8, 2s), retry_of(work, 9, 1s)};
  EXPECT_THAT(flush({batch}).finished_chunks_of, ElementsAre(job.id)) << "handed over is done";
  EXPECT_THAT(complete({job.id}), IsEmpty());
  EXPECT_EQ(view(job.id).status, job_status::dispatched);
  EXPECT_EQ(view(job.id).pending(), 2);
  EXPECT_THAT(claim_all().works, IsEmpty()) << "not due";
  EXPECT_FALSE(sweep().work_due);

  advance(1s);
  EXPECT_TRUE(sweep().work_due);
  auto claimed = claim_all();
  ASSERT_THAT(claimed.works, SizeIs(1));
  auto again = claimed.works[0];
  EXPECT_EQ(again->kind, work_kind::retry);
  EXPECT_EQ(again->key, work->key);
  ASSERT_THAT(again->targets, SizeIs(1));
  EXPECT_EQ(again->targets[0].id, work->targets[9].id);
  EXPECT_EQ(again->targets[0].index, work->targets[9].index);
  EXPECT_EQ(again->targets[0].attempts, 1);
  EXPECT_EQ(again->token(again->targets[0]), work->token(work->targets[9]));

  advance(1s);
  claimed = claim_all();
  ASSERT_THAT(claimed.works, SizeIs(1)) << "the other one; the first is under way";
  EXPECT_THAT(flush({accept(claimed.works[0])}).finished_chunks_of, ElementsAre(job.id));
  EXPECT_THAT(complete({job.id}), IsEmpty());

  auto second = retry_of(again, 0, 5s); // fails once more
  EXPECT_EQ(second.attempts, 2);
  EXPECT_EQ(flush({others(again, {second})}).stale, 0u);
  EXPECT_EQ(flush({accept(again)}).stale, 1u) << "the lease ended with it";
  EXPECT_THAT(claim_all().works, IsEmpty());
  advance(5s);
  again = claim_all().works.at(0);
  EXPECT_EQ(again->targets[0].attempts, 2);
  auto end = outcome_of(again, 0, outcome_status::rejected);
  end.reason = "MaxAttempts";
  EXPECT_THAT(flush({others(again, {end})}).finished_chunks_of, ElementsAre(job.id));
  EXPECT_EQ(flush({others(again, {end})}).stale, 1u) << "a replay counts nothing";
  EXPECT_THAT(complete({job.id}), ElementsAre(job.id));
  expect_closed(job.id, 10);
  EXPECT_EQ(view(job.id).counts, (job_counts{9, 1, 0, 0, 0}));
  EXPECT_THAT(receipts(job.id), SizeIs(1));
}

TEST_P(ten_claimed, a_flush_of_retries_that_failed_is_repeated_under_the_same_lease) {
  start();
  auto batch = accept(work, 0, 8);
  batch.others = {retry_of(work, 8, 0ms), retry_of(work, 9, 0ms)};
  flush({batch});
  fail_commits(true);
  EXPECT_EQ(await<claim_result>([&](auto done) {
              store().jobs().claim({"push", {{apns, 10}}, 64, lease}, std::move(done));
            }).code,
            errc::unavailable);
  fail_commits(false);
  const auto again = claim_all().works.at(0);
  ASSERT_THAT(again->targets, SizeIs(2)) << "a claim that failed holds nothing";
  auto outcomes = accept(again, 0, 1);
  outcomes.others = {retry_of(again, 1, 0ms)};
  fail_commits(true);
  EXPECT_EQ(
    await<flush_result>([&](auto done) { store().jobs().flush({outcomes}, std::move(done)); }).code,
    errc::unavailable);
  fail_commits(false);
  EXPECT_THAT(claim_all().works, IsEmpty()) << "both are still leased";
  EXPECT_EQ(flush({outcomes}).stale, 0u);
  const auto third = claim_all().works.at(0);
  ASSERT_THAT(third->targets, SizeIs(1));
  complete(flush({accept(third)}).finished_chunks_of);
  expect_closed(job.id, 10);
}

TEST_P(ten_claimed, a_retry_that_is_due_before_those_that_were_claimed_is_found_within_a_second) {
  start();
  auto batch = accept(work, 0, 7);
  batch.others = {retry_of(work, 7, 300ms), retry_of(work, 8, 300ms)};
  flush({batch});
  advance(300ms);
  EXPECT_THAT(claim_all().works, SizeIs(1));
  auto late = others(work, {retry_of(work, 9, 0ms)});
  late.others[0].retry_at = work->job->created_at; // long ago, as after a stall
  flush({late});
  advance(700ms);
  const auto works = claim_all().works;
  ASSERT_THAT(works, SizeIs(1));
  EXPECT_EQ(works[0]->targets.at(0).id, work->targets[9].id);
}

TEST_P(ten_claimed, a_replay_does_not_bring_a_finished_retry_back) {
  start();
  auto batch = accept(work, 0, 9);
  batch.others = {retry_of(work, 9, 0ms)};
  flush({batch});
  const auto again = claim_all().works.at(0);
  flush({accept(again)});
  flush({batch}); // late replay of the first try's outcome
  EXPECT_THAT(claim_all().works, IsEmpty());
  complete({job.id});
  expect_closed(job.id, 10);
}

TEST_P(ten_claimed, retries_of_one_chunk_come_as_one_work_oldest_first) {
  start();
  std::vector<outcome> list;
  for (std::size_t i = 0; i < 10; ++i)
    list.push_back(retry_of(work, i, std::chrono::seconds{100 - i}));
  flush({others(work, list)});
  advance(100s);
  const auto first = claim({{apns, 6}});
  ASSERT_THAT(first.works, SizeIs(1));
  EXPECT_THAT(tokens_in(first.works[0]), ElementsAre("t7", "t8", "t9"))
    << "half of the budget, the oldest, by ascending index";
  EXPECT_THAT(claim_all().works.at(0)->targets, SizeIs(7));
}

TEST_P(store_contract, retries_of_one_job_come_as_one_work_also_between_those_of_another) {
  add_subscribers("news", 2);
  commit(topic_job("news"));
  commit(topic_job("news"));
  plan_all();
  std::vector<outcome_batch> failed;
  for (const auto& work : claim_all().works)
    failed.push_back(others(work, {retry_of(work, 0, 1s), retry_of(work, 1, 2s)}));
  flush(failed);
  advance(2s);
  const auto works = claim_all().works;
  ASSERT_THAT(works, SizeIs(2));
  EXPECT_THAT(works[0]->targets, SizeIs(2));
  EXPECT_THAT(works[1]->targets, SizeIs(2));
}

TEST_P(store_contract, retries_of_one_flush_wait_apart_for_each_destination) {
  add_subscribers("news", 3);
  add_subscribers("news", 3, "s", sandbox);
  commit(topic_job("news"));
  plan_all();
  std::vector<outcome_batch> failed;
  for (const auto& work : claim_all().works)
    failed.push_back(others(work, {retry_of(work, 0, 1s), retry_of(work, 2, 1s)}));
  ASSERT_THAT(failed, SizeIs(2));
  flush(failed);
  advance(1s);
  for (const auto& batch : failed) {
    const auto works = claim({{batch.of->dest, 10}}).works;
    ASSERT_THAT(works, SizeIs(1));
    const auto tokens = tokens_in(batch.of);
    EXPECT_THAT(tokens_in(works[0]), ElementsAre(tokens[0], tokens[2]));
  }
}

TEST_P(ten_claimed, an_invalidated_token_leaves_its_topics_and_comes_back_by_registering) {
  start();
  auto batch = accept(work, 1, 9);
  batch.others = {rejected(0, "BadDeviceToken", invalidation::bad_token)};
  EXPECT_EQ(flush({batch}).invalidated, 1u);
  ASSERT_THAT(tokens_of("u0"), SizeIs(1));
  EXPECT_EQ(tokens_of("u0")[0].invalidated_at, now());
  EXPECT_EQ(tokens_of("u0")[0].invalid_reason, "BadDeviceToken");
  const auto count = [&] {
    return await<std::int64_t>(
             [&](auto done) { store().topics().count_topic(default_app, "news", std::move(done)); })
      .value;
  };
  EXPECT_EQ(count(), 9);
  EXPECT_EQ(targets_in(commit(user_job("u0"), true).taken), 0u);
  advance(1s);
  EXPECT_THAT(add_tokens({{"u0", platform::apns, environment::production, "t0", {}}}).value.created,
              ElementsAre(false));
  EXPECT_FALSE(tokens_of("u0")[0].invalidated_at);
  EXPECT_EQ(tokens_of("u0")[0].registered_at, now());
  EXPECT_EQ(count(), 10);
}

TEST_P(ten_claimed,
       a_late_invalidation_is_written_with_any_batch_unless_the_token_is_registered_anew) {
  start();
  const auto blamed_at = now();
  auto batch = accept(work, 2, 1);
  const auto id_of = [&](std::size_t position) { return work->targets.at(position).id; };
  advance(1s);
  add_token("u1", "t1");
  batch.late = {{id_of(0), "BadDeviceToken", blamed_at}, {id_of(1), "BadDeviceToken", blamed_at}};
  auto stale = std::make_shared<signalbox::work>(*work);
  stale->epoch += 1'000;
  batch.of = stale;
  const auto flushed = flush({batch});
  EXPECT_EQ(flushed.stale, 1u);
  EXPECT_EQ(flushed.invalidated, 1u);
  EXPECT_EQ(tokens_of("u0")[0].invalidated_at, blamed_at);
  EXPECT_EQ(tokens_of("u0")[0].invalid_reason, "BadDeviceToken");
  EXPECT_FALSE(tokens_of("u1")[0].invalidated_at);
}

TEST_P(ten_claimed, a_410_of_an_older_registration_kills_no_newer_one) {
  start();
  const auto registered = now();
  auto older = rejected(0, "Unregistered", invalidation::unregistered);
  older.unregistered_at = registered - 1ms;
  auto newer = rejected(1, "Unregistered", invalidation::unregistered);
  newer.unregistered_at = registered;
  auto without_time = rejected(2, "Unregistered", invalidation::unregistered);
  EXPECT_EQ(flush({others(work, {older, newer, without_time})}).invalidated, 2u);
  EXPECT_FALSE(tokens_of("u0")[0].invalidated_at);
  EXPECT_TRUE(tokens_of("u1")[0].invalidated_at);
  EXPECT_TRUE(tokens_of("u2")[0].invalidated_at);
  // The answer is on its way while the device registers again.
  auto overtaken = others(work, {rejected(3, "Unregistered", invalidation::unregistered),
                                 rejected(4, "BadDeviceToken", invalidation::bad_token)});
  advance(1s);
  add_token("u3", "t3");
  add_token("u4", "t4");
  EXPECT_EQ(flush({overtaken}).invalidated, 0u);
  EXPECT_FALSE(tokens_of("u3")[0].invalidated_at);
  EXPECT_EQ(view(job.id).counts.rejected, 5) << "counted all the same";
}

TEST_P(ten_claimed, an_outcome_of_nowhere_is_stale_or_ignored) {
  start();
  auto stray = std::make_shared<signalbox::work>(*work);
  stray->key.job = make_uuid_v7(now());
  EXPECT_EQ(flush({accept(stray)}).stale, 10u);
  outcome outside = outcome_of(work, 0, outcome_status::rejected);
  outside.index = 5'000;
  flush({others(work, {outside}), {work, {4'000}, {}, now()}});
  EXPECT_EQ(view(job.id).pending(), 10);
  flush({others(work, {retry_of(work, 0, 0ms)})});
  const auto retry = claim_all().works.at(0);
  EXPECT_EQ(flush({{retry, {4'000}, {}, now()}}).stale, 0u);
  EXPECT_EQ(view(job.id).pending(), 10);
  EXPECT_THAT(flush({}).finished_chunks_of, IsEmpty());
}

} // namespace
} // namespace signalbox::contract
