// Jobs that give up on unknown: what may have left and was not answered is never sent again.

#include "tests/contract/store_contract.hpp"

#include <gmock/gmock.h>

namespace signalbox::contract {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

using namespace std::chrono_literals;

class give_up : public store_contract {
protected:
  void start(int targets, receipts_policy receipts = receipts_policy::failures) {
    add_subscribers("news", targets);
    job = topic_job("news");
    job.options.on_unknown = unknown_policy::give_up;
    job.options.receipts = receipts;
    commit(job);
    plan_all();
    work = claim_all().works.at(0);
  }

  work_ptr with_a_due_retry() {
    start(1);
    flush({others(work, {retry_of(work, 0, 1s)})});
    advance(1s);
    return claim_all().works.at(0);
  }

  void end(const work_ptr& last) {
    complete(flush({accept(last), settled(last)}).finished_chunks_of);
  }

  new_job job;
  work_ptr work;
};

INSTANTIATE_TEST_SUITE_P(stores, give_up, testing::ValuesIn(store_kinds()),
                         [](const auto& info) { return info.param.name; });

TEST_P(give_up, after_a_crash_what_was_sent_is_unknown_and_the_rest_is_sent) {
  start(10);
  EXPECT_THAT(mark_sent({{work, {0, 1, 2, 3}}}), ElementsAre(true));
  flush({accept(work, 0, 2)});
  crash_and_reopen();
  const auto again = claim_all().works.at(0);
  EXPECT_THAT(tokens_in(again), ElementsAre("t4", "t5", "t6", "t7", "t8", "t9"));
  ASSERT_THAT(again->settled, SizeIs(2));
  EXPECT_EQ(again->settled[0].index, 2u);
  EXPECT_EQ(again->settled[0].status, outcome_status::unknown);
  EXPECT_EQ(again->settled[0].reason, "no_answer");
  end(again);
  expect_closed(job.id, 10);
  EXPECT_EQ(view(job.id).counts, (job_counts{8, 0, 2, 0, 0}));
  EXPECT_THAT(receipts(job.id), SizeIs(2));
  EXPECT_THAT(dead_letters(), IsEmpty());
}

TEST_P(give_up, so_it_is_after_a_lease_that_ended_and_for_the_successor_of_a_dead_sender) {
  start(4);
  mark_sent({{work, {3}}});
  EXPECT_THAT(tokens_in(reload(work)), ElementsAre("t0", "t1", "t2"));
  EXPECT_THAT(reload(work)->settled, SizeIs(1));
  advance(lease);
  const auto again = claim_all().works.at(0);
  EXPECT_THAT(again->settled, SizeIs(1));
  EXPECT_THAT(mark_sent({{again, {0}}}), ElementsAre(true));
  EXPECT_THAT(reload(again)->settled, SizeIs(2)) << "marks add up";
}

TEST_P(give_up, nothing_is_marked_for_a_lease_that_is_lost) {
  start(3);
  advance(lease);
  const auto again = claim_all().works.at(0);
  EXPECT_THAT(mark_sent({{work, {0}}, {again, {1}}, {nullptr, {}}}),
              ElementsAre(false, true, false));
  EXPECT_THAT(tokens_in(reload(again)), ElementsAre("t0", "t2"));
}

TEST_P(give_up, a_mark_that_was_not_committed_is_not_made) {
  start(3);
  fail_commits(true);
  EXPECT_EQ(await<std::vector<bool>>([&](auto done) {
              store().jobs().mark_sent({{work, {0}}}, std::move(done));
            }).code,
            errc::unavailable);
  fail_commits(false);
  EXPECT_THAT(reload(work)->settled, IsEmpty());
}

TEST_P(give_up, what_was_answered_is_retried_as_usual) {
  start(2);
  mark_sent({{work, {0, 1}}});
  flush({others(work, {retry_of(work, 0, 1s), retry_of(work, 1, 1s)})});
  crash_and_reopen();
  advance(1s);
  const auto again = claim_all().works.at(0);
  EXPECT_THAT(tokens_in(again), ElementsAre("t0", "t1")) << "answered: it may be sent again";
  EXPECT_THAT(again->settled, IsEmpty());
  EXPECT_THAT(mark_sent({{again, {1}}}), ElementsAre(true));
  crash_and_reopen();
  const auto last = claim_all().works.at(0);
  EXPECT_THAT(tokens_in(last), ElementsAre("t0"));
  ASSERT_THAT(last->settled, SizeIs(1));
  EXPECT_EQ(last->settled[0].status, outcome_status::unknown);
  end(last);
  expect_closed(job.id, 2);
  EXPECT_EQ(view(job.id).counts, (job_counts{1, 0, 1, 0, 0}));
}

TEST_P(give_up, a_marked_retry_that_did_not_leave_is_reported_as_a_retry_and_sent) {
  const auto retry = with_a_due_retry();
  mark_sent({{retry, {0}}});
  auto unsent = retry_of(retry, 0, 0ms);
  unsent.attempts = retry->targets[0].attempts;
  flush({others(retry, {unsent})});
  release({retry});
  const auto again = claim_all().works.at(0);
  ASSERT_THAT(tokens_in(again), ElementsAre("t0"));
  EXPECT_EQ(again->targets[0].attempts, 1);
}

TEST_P(give_up, marked_targets_of_a_chunk_that_is_given_back_unsent_are_sent_by_the_next) {
  start(5);
  mark_sent({{work, {0, 1, 2}}});
  auto first = retry_of(work, 1, 0ms);
  auto second = retry_of(work, 2, 0ms);
  first.attempts = second.attempts = 0; // these did not leave
  flush({accept(work, 0, 1), others(work, {first, second})});
  release({work});
  std::vector<std::string> sent;
  for (const auto& one : claim_all().works) {
    EXPECT_THAT(one->settled, IsEmpty());
    for (const auto& token : tokens_in(one))
      sent.push_back(token);
    end(one);
  }
  EXPECT_THAT(sent, testing::UnorderedElementsAre("t1", "t2", "t3", "t4"));
  expect_closed(job.id, 5);
  EXPECT_EQ(view(job.id).counts.accepted, 5);
}

TEST_P(give_up, a_lost_lease_of_a_marked_retry_is_fenced) {
  const auto retry = with_a_due_retry();
  advance(lease);
  const auto again = claim_all().works.at(0);
  EXPECT_THAT(mark_sent({{retry, {0}}}), ElementsAre(false));
  EXPECT_THAT(mark_sent({{again, {0}}}), ElementsAre(true));
}

TEST_P(give_up, cancelling_counts_what_may_have_left_as_unknown) {
  start(6);
  mark_sent({{work, {0, 1}}});
  flush({others(work, {retry_of(work, 5, 0ms)})});
  const auto retry = claim_all().works.at(0);
  mark_sent({{retry, {0}}});
  crash_and_reopen();
  cancel(job.id);
  sweep();
  expect_closed(job.id, 6);
  EXPECT_EQ(view(job.id).counts, (job_counts{0, 0, 3, 0, 3}));
  EXPECT_THAT(receipts(job.id), SizeIs(3));
}

TEST_P(give_up, a_chunk_that_loses_all_its_owners_keeps_what_was_sent_apart) {
  start(3);
  mark_sent({{work, {1}}});
  for (int i = 0; i < 5; ++i) {
    advance(lease);
    sweep();
    claim_all();
  }
  expect_closed(job.id, 3);
  EXPECT_EQ(view(job.id).counts, (job_counts{0, 2, 1, 0, 0}));
  EXPECT_THAT(dead_letters(), SizeIs(2)) << "it is not offered for a replay";
}

} // namespace
} // namespace signalbox::contract
