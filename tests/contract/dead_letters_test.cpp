// What could not be delivered is listed, replayed once, and deleted.

#include "tests/contract/store_contract.hpp"

#include <gmock/gmock.h>

#include <set>

namespace signalbox::contract {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;
using testing::UnorderedElementsAre;

using namespace std::chrono_literals;

class dead_lettered : public store_contract {
protected:
  // A job of the topic whose targets are all given up.
  new_job give_up_all(int targets, const std::string& topic = "news", destination where = apns) {
    add_subscribers(topic, targets, topic, where);
    auto job = topic_job(topic);
    job.payload = R"({"title":"Try again"})";
    job.options.receipts = receipts_policy::all;
    give_up(job);
    return job;
  }

  void give_up(const new_job& job) {
    commit(job);
    plan_all();
    for (const auto& work : claim_all().works) {
      std::vector<outcome> list;
      for (std::size_t i = 0; i < work->targets.size(); ++i) {
        list.push_back(given_up(work, i));
        list.back().attempts = 10;
      }
      complete(flush({others(work, std::move(list))}).finished_chunks_of);
    }
  }

  dead_letter_filter of(const new_job& job) {
    dead_letter_filter filter;
    filter.job = job.id;
    return filter;
  }
};

INSTANTIATE_TEST_SUITE_P(stores, dead_lettered, testing::ValuesIn(store_kinds()),
                         [](const auto& info) { return info.param.name; });

TEST_P(dead_lettered, targets_are_counted_and_listed_in_one_transaction) {
  add_subscribers("news", 3);
  const auto job = topic_job("news");
  commit(job);
  plan_all();
  const auto work = claim_all().works.at(0);
  auto batch = accept(work, 0, 2);
  batch.others = {given_up(work, 2)};
  batch.others[0].attempts = 7;
  fail_commits(true);
  await<flush_result>([&](auto done) { store().jobs().flush({batch}, std::move(done)); });
  fail_commits(false);
  EXPECT_THAT(dead_letters(), IsEmpty());
  flush({batch});
  flush({batch});
  ASSERT_THAT(dead_letters(), SizeIs(1)) << "once, also after a replay of the flush";
  const auto letter = dead_letters()[0];
  EXPECT_EQ(letter.job, job.id);
  EXPECT_EQ(letter.lane, "push");
  EXPECT_EQ(letter.provider, platform::apns);
  EXPECT_EQ(letter.env, environment::production);
  EXPECT_EQ(letter.token, "t2");
  EXPECT_EQ(letter.attempts, 7u);
  EXPECT_EQ(letter.reason, "max_attempts");
  EXPECT_EQ(letter.last_error, "ServiceUnavailable");
  EXPECT_EQ(letter.dead_lettered_at, now());
  EXPECT_EQ(letter.replayed_by, std::nullopt);
  complete({job.id});
  expect_closed(job.id, 3);
  EXPECT_EQ(view(job.id).counts, (job_counts{2, 1, 0, 0, 0}));
}

TEST_P(dead_lettered, a_retry_that_is_given_up_counts_as_its_last_try_ended) {
  add_token("ann", "phone");
  const auto job = user_job("ann");
  const auto work = commit(job, true).taken.at(0);
  flush({others(work, {retry_of(work, 0, 1s)})});
  advance(1s);
  const auto retry = claim_all().works.at(0);
  auto last = given_up(retry, 0, "no_answer");
  last.status = outcome_status::unknown;
  complete(flush({others(retry, {last})}).finished_chunks_of);
  expect_closed(job.id, 1);
  EXPECT_EQ(view(job.id).counts.unknown, 1);
  ASSERT_THAT(dead_letters(), SizeIs(1));
  EXPECT_EQ(dead_letters()[0].attempts, 2u);
}

TEST_P(dead_lettered, the_newest_come_first_page_by_page) {
  const auto first = give_up_all(3, "a");
  const auto second = give_up_all(2, "b", fcm);
  std::vector<dead_letter_view> all;
  std::string after;
  int pages = 0;
  do {
    auto page = await<page_of<dead_letter_view>>([&](auto done) {
      store().office().list_dead_letters({}, {after, 2}, std::move(done));
    });
    for (auto& letter : page.value.items)
      all.push_back(std::move(letter));
    after = page.value.next;
    ++pages;
  } while (!after.empty());
  EXPECT_EQ(pages, 3);
  ASSERT_THAT(all, SizeIs(5));
  EXPECT_EQ(all.front().job, second.id);
  EXPECT_EQ(all.front().provider, platform::fcm);
  EXPECT_EQ(all.back().job, first.id);
  std::set<std::string> tokens;
  for (const auto& one : all)
    tokens.insert(one.token);
  EXPECT_THAT(tokens, SizeIs(5));
}

TEST_P(dead_lettered, filters_by_app_job_lane_and_reason) {
  const auto first = give_up_all(3, "a");
  give_up_all(2, "b");
  EXPECT_THAT(dead_letters(of(first)), SizeIs(3));
  dead_letter_filter filter;
  filter.lane = "push";
  EXPECT_THAT(dead_letters(filter), SizeIs(5));
  filter.lane = "bulk";
  EXPECT_THAT(dead_letters(filter), IsEmpty());
  filter = {};
  filter.reason = "lease_lost";
  EXPECT_THAT(dead_letters(filter), IsEmpty());
  filter = {};
  filter.app = 2;
  EXPECT_THAT(dead_letters(filter), IsEmpty());
  filter = {};
  filter.job = make_uuid_v7(now());
  EXPECT_THAT(dead_letters(filter), IsEmpty());
  EXPECT_EQ(replay(filter).targets, 0);
  EXPECT_EQ(delete_dead_letters(filter).letters, 0);
}

TEST_P(dead_lettered, few_among_many_are_found_by_pages_that_cost_a_bounded_part) {
  add_subscribers("rare", 1, "rare");
  auto rare = topic_job("rare");
  rare.lane = "bulk";
  rare.reference = "order-7";
  commit(rare);
  await<plan_result>([&](auto done) { store().jobs().plan("bulk", 1'000, std::move(done)); });
  const auto claimed = await<claim_result>([&](auto done) {
    store().jobs().claim({"bulk", {{apns, 10}}, 64, lease}, std::move(done));
  });
  const auto& work = claimed.value.works.at(0);
  flush({others(work, {given_up(work, 0)})});
  give_up_all(6'000);
  page_request page{{}, 50};
  dead_letter_filter of_lane;
  of_lane.lane = "bulk";
  const auto read = [&] {
    return await<page_of<dead_letter_view>>(
             [&](auto done) { store().office().list_dead_letters(of_lane, page, std::move(done)); })
      .value;
  };
  const auto first = read();
  EXPECT_THAT(first.items, IsEmpty());
  ASSERT_FALSE(first.next.empty()) << "5,000 letters were looked at";
  page.after = first.next;
  const auto second = read();
  ASSERT_THAT(second.items, SizeIs(1));
  EXPECT_EQ(second.items[0].job, rare.id);
  EXPECT_EQ(second.items[0].reference, "order-7");
  EXPECT_EQ(second.next, "");
  dead_letter_filter of_reference;
  of_reference.reference = "order-7";
  EXPECT_THAT(dead_letters(of_reference), SizeIs(1));
  EXPECT_EQ(replay(of_reference).targets, 1);
  EXPECT_EQ(delete_dead_letters(of_reference).letters, 1);
  of_reference.reference = "order-8";
  EXPECT_THAT(dead_letters(of_reference), IsEmpty());
}

TEST_P(dead_lettered, a_replay_is_a_new_job_for_each_job_with_its_options) {
  add_subscribers("news", 3, "x", fcm);
  const auto source = give_up_all(2);
  const auto other = give_up_all(1, "other");
  advance(1min);
  const auto replayed = replay();
  EXPECT_EQ(replayed.targets, 6);
  EXPECT_FALSE(replayed.more);
  ASSERT_THAT(replayed.jobs, SizeIs(2));
  const auto& made = replayed.jobs[0];
  EXPECT_EQ(made.replay_of, source.id);
  EXPECT_EQ(made.lane, "push");
  EXPECT_EQ(made.targets, 5);
  EXPECT_EQ(replayed.jobs[1].replay_of, other.id);

  const auto job = view(*made.job);
  EXPECT_EQ(job.replay_of, source.id);
  EXPECT_EQ(job.status, job_status::queued);
  EXPECT_EQ(job.total, 5) << "committed already planned";
  EXPECT_EQ(job.created_at, now());
  EXPECT_EQ(job.scope_name, "news");
  EXPECT_EQ(view(source.id).replay_of, std::nullopt);
  for (const auto& letter : dead_letters(of(source)))
    EXPECT_EQ(letter.replayed_by, made.job);

  const auto works = claim_all().works;
  ASSERT_THAT(works, SizeIs(3)) << "a chunk for each pool";
  EXPECT_EQ(works[0]->job->payload, source.payload);
  EXPECT_EQ(works[0]->job->options.receipts, receipts_policy::all);
  for (const auto& work : works)
    complete(flush({accept(work)}).finished_chunks_of);
  expect_closed(*made.job, 5);
  expect_closed(*replayed.jobs[1].job, 1);
}

TEST_P(dead_lettered, a_letter_is_replayed_once_also_after_a_restart) {
  const auto source = give_up_all(3);
  EXPECT_EQ(replay(of(source)).targets, 3);
  crash_and_reopen();
  EXPECT_EQ(replay(of(source)).targets, 0);
  EXPECT_THAT(replay().jobs, IsEmpty());
  const auto works = claim_all().works;
  EXPECT_EQ(targets_in(works), 3u);
  // Given up again: these are letters of the replay.
  flush({others(works[0], {given_up(works[0], 0)}), accept(works[0], 1, 2)});
  const auto again = replay();
  ASSERT_THAT(again.jobs, SizeIs(1));
  EXPECT_EQ(again.targets, 1);
  EXPECT_EQ(again.jobs[0].replay_of, works[0]->key.job);
}

TEST_P(dead_lettered, a_replay_that_was_not_committed_marks_nothing) {
  give_up_all(3);
  fail_commits(true);
  EXPECT_EQ(await<replay_result>([&](auto done) {
              store().office().replay_dead_letters({}, false, std::move(done));
            }).code,
            errc::unavailable);
  fail_commits(false);
  EXPECT_THAT(claim_all().works, IsEmpty());
  EXPECT_EQ(replay().targets, 3);
}

TEST_P(dead_lettered, two_replays_at_once_share_the_letters) {
  give_up_all(50);
  std::promise<result<replay_result>> first, second;
  store().office().replay_dead_letters({}, false, [&](auto one) { first.set_value(one); });
  store().office().replay_dead_letters({}, false, [&](auto one) { second.set_value(one); });
  EXPECT_EQ(first.get_future().get().value.targets + second.get_future().get().value.targets, 50);
  EXPECT_EQ(targets_in(claim_all().works), 50u);
}

TEST_P(dead_lettered, a_dry_run_counts_the_same_and_writes_nothing) {
  give_up_all(3, "a");
  give_up_all(2, "b");
  const auto counted = replay({}, true);
  EXPECT_EQ(counted.targets, 5);
  ASSERT_THAT(counted.jobs, SizeIs(2));
  EXPECT_EQ(counted.jobs[0].job, std::nullopt);
  EXPECT_EQ(counted.jobs[0].targets, 3);
  EXPECT_THAT(claim_all().works, IsEmpty());
  EXPECT_EQ(replay().targets, 5);
  EXPECT_EQ(replay({}, true).targets, 0);
}

TEST_P(dead_lettered, who_is_gone_or_dead_is_skipped_at_the_send) {
  add_token("ann", "gone");
  add_token("ann", "dead");
  add_token("ann", "live");
  const auto job = user_job("ann");
  give_up(job);
  await<unit>(
    [&](auto done) { store().users().delete_token(default_app, "ann", "gone", std::move(done)); });
  const auto other = commit(user_job("ann"), true).taken.at(0);
  auto dead = outcome_of(other, 0, outcome_status::rejected);
  ASSERT_EQ(tokens_in(other).at(0), "dead");
  dead.invalidate = invalidation::unregistered;
  dead.reason = "Unregistered";
  flush({others(other, {dead}), accept(other, 1, 1)});

  const auto replayed = replay();
  EXPECT_EQ(replayed.targets, 3);
  const auto work = claim_all().works.at(0);
  EXPECT_THAT(tokens_in(work), ElementsAre("live"));
  EXPECT_THAT(work->settled, SizeIs(2));
  complete(flush({accept(work), settled(work)}).finished_chunks_of);
  expect_closed(*replayed.jobs.at(0).job, 3);
  const auto letters = dead_letters();
  std::vector<std::string> tokens;
  for (const auto& one : letters)
    tokens.push_back(one.token);
  EXPECT_THAT(tokens, UnorderedElementsAre("", "dead", "live"));
}

TEST_P(dead_lettered, deadlines_that_have_passed_do_not_stop_a_replay) {
  add_subscribers("news", 1);
  auto job = topic_job("news");
  job.options.ttl = 60s;
  job.options.expires_at = now() + 50s;
  give_up(job);
  advance(1h);
  const auto made = *replay().jobs.at(0).job;
  const auto work = claim_all().works.at(0);
  EXPECT_EQ(work->key.job, made);
  EXPECT_EQ(work->job->deadline(), now() + 60s) << "the ttl counts from the replay";
  EXPECT_EQ(work->job->options.expires_at, std::nullopt);
}

TEST_P(dead_lettered, more_than_a_call_may_take_is_left_to_the_next) {
  const int letters = 10'050;
  const auto source = give_up_all(letters);
  EXPECT_EQ(replay({}, true).targets, 10'000);
  const auto first = replay();
  EXPECT_EQ(first.targets, 10'000);
  EXPECT_TRUE(first.more);
  crash_and_reopen(); // half-replayed
  const auto second = replay(of(source));
  EXPECT_EQ(second.targets, 50);
  EXPECT_FALSE(second.more);
  const auto works = claim_all().works;
  EXPECT_EQ(targets_in(works), static_cast<std::size_t>(letters));
  for (const auto& work : works)
    EXPECT_LE(work->size(), 1'000u);
  std::int64_t deleted = 0;
  int calls = 0;
  for (bool more = true; more; ++calls) {
    const auto slice = delete_dead_letters();
    deleted += slice.letters;
    more = slice.more;
  }
  EXPECT_EQ(deleted, letters) << "replayed ones included";
  EXPECT_EQ(calls, 3);
  EXPECT_THAT(dead_letters(), IsEmpty());
}

TEST_P(dead_lettered, deleting_goes_by_the_filter) {
  const auto first = give_up_all(3, "a");
  const auto second = give_up_all(2, "b");
  EXPECT_EQ(delete_dead_letters(of(first)).letters, 3);
  EXPECT_THAT(dead_letters(), SizeIs(2));
  EXPECT_EQ(replay(of(first)).targets, 0);
  EXPECT_EQ(replay(of(second)).targets, 2);
}

TEST_P(dead_lettered, a_chunk_that_keeps_losing_its_owners_can_be_replayed) {
  add_subscribers("news", 10);
  const auto job = topic_job("news");
  commit(job);
  plan_all();
  flush({accept(claim_all().works.at(0), 0, 4)});
  for (int i = 0; i < 5; ++i) {
    advance(lease);
    EXPECT_THAT(claim_all().works, SizeIs(i < 4 ? 1 : 0));
  }
  expect_closed(job.id, 10);
  EXPECT_EQ(view(job.id).counts, (job_counts{4, 6, 0, 0, 0}));
  dead_letter_filter lost;
  lost.reason = "lease_lost";
  EXPECT_THAT(dead_letters(lost), SizeIs(6));
  EXPECT_EQ(dead_letters(lost)[0].attempts, 0u);
  EXPECT_EQ(replay(lost).targets, 6);
  EXPECT_THAT(tokens_in(claim_all().works.at(0)), ElementsAre("t4", "t5", "t6", "t7", "t8", "t9"));
}

} // namespace
} // namespace signalbox::contract
