// What changes while somebody watches.

#include "adapters/store/sqlite/changes.hpp"
#include "tests/adapters/store/store_fixture.hpp"

#include <gmock/gmock.h>
#include <sqlite3.h>

#include <algorithm>

namespace signalbox {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

class changes_test : public store_fixture {
protected:
  void SetUp() override {
    auto of = options();
    of.fault = [fails = fails] { return fails->load() ? SQLITE_FULL : SQLITE_OK; };
    store = std::move(sqlite_store::open(of).value);
    await<registration_result>([&](auto done) {
      store->register_tokens(default_app,
                             {{"ann", platform::apns, environment::production, "phone", {}},
                              {"ann", platform::apns, environment::production, "tablet", {}},
                              {"bob", platform::apns, environment::production, "other", {}}},
                             std::move(done));
    });
    store->watch(true);
    take();
  }

  std::vector<commit_result> commit(new_job job) {
    return await<std::vector<commit_result>>([&](auto done) {
             store->commit_jobs({{std::move(job), true}}, 15s, std::move(done));
           })
      .value;
  }

  change_set take(change_filter filter = {.all = true}, std::size_t limit = 1'000) {
    return await<change_set>([&](auto done) { store->take_changes(filter, limit, done); }).value;
  }

  change_set recent(std::size_t limit = 100) {
    return await<change_set>([&](auto done) { store->list_recent(now() - 10min, limit, done); })
      .value;
  }

  static std::vector<job_id> ids(const change_set& set) {
    std::vector<job_id> all;
    for (const auto& job : set.jobs)
      all.push_back(job.id);
    return all;
  }

  void accept_all(const work_ptr& work) {
    outcome_batch batch;
    batch.of = work;
    batch.at = now();
    for (std::uint32_t i = 0; i < work->targets.size(); ++i)
      batch.accepted.push_back(i);
    await<flush_result>([&](auto done) { store->flush({batch}, std::move(done)); });
  }

  std::shared_ptr<std::atomic<bool>> fails = std::make_shared<std::atomic<bool>>(false);
  std::unique_ptr<sqlite_store> store;
};

TEST_F(changes_test, a_job_is_told_when_it_comes_and_when_it_ends) {
  const auto job = job_for("ann");
  const auto works = commit(job).at(0).taken;
  const auto come = take();
  ASSERT_THAT(ids(come), ElementsAre(job.id));
  EXPECT_EQ(come.jobs[0].total, 2);
  EXPECT_FALSE(come.jobs[0].completed_at);
  EXPECT_THAT(ids(take()), IsEmpty());
  for (const auto& work : works)
    accept_all(work);
  const auto ended = take();
  ASSERT_THAT(ids(ended), ElementsAre(job.id));
  EXPECT_EQ(ended.jobs[0].counts.accepted, 2);
  EXPECT_TRUE(ended.jobs[0].completed_at);
}

TEST_F(changes_test, jobs_of_one_target_are_told_only_where_they_are_named) {
  const auto job = job_for("bob");
  commit(job);
  EXPECT_THAT(ids(take()), IsEmpty());
  const auto other = job_for("bob");
  commit(other);
  auto named = std::make_shared<std::unordered_set<job_id>>();
  named->insert(other.id);
  EXPECT_THAT(ids(take({.all = false, .jobs = named})), ElementsAre(other.id));
}

TEST_F(changes_test, counts_of_a_job_that_goes_on_are_those_of_its_chunks) {
  const auto job = job_for("ann");
  const auto work = commit(job).at(0).taken.at(0);
  take();
  outcome_batch batch;
  batch.of = work;
  batch.at = now();
  batch.accepted = {0};
  await<flush_result>([&](auto done) { store->flush({batch}, std::move(done)); });
  const auto set = take();
  ASSERT_THAT(set.jobs, SizeIs(1));
  EXPECT_EQ(set.jobs[0].counts.accepted, 1);
  EXPECT_EQ(set.jobs[0].pending(), 1);
}

TEST_F(changes_test, a_limit_leaves_the_rest_for_the_next_call) {
  for (int i = 0; i < 3; ++i)
    commit(job_for("ann"));
  std::vector<job_id> all;
  for (int i = 0; i < 3; ++i) {
    const auto some = take({.all = true}, 1);
    EXPECT_THAT(some.jobs, SizeIs(1));
    EXPECT_EQ(some.more, i < 2);
    all.push_back(some.jobs.at(0).id);
  }
  std::sort(all.begin(), all.end());
  EXPECT_EQ(std::unique(all.begin(), all.end()), all.end());
}

TEST_F(changes_test, nothing_is_noted_when_nobody_watches) {
  store->watch(false);
  commit(job_for("ann"));
  store->watch(true);
  EXPECT_THAT(ids(take()), IsEmpty());
}

TEST_F(changes_test, what_was_rolled_back_is_no_change_that_shows) {
  fails->store(true);
  commit(job_for("ann"));
  fails->store(false);
  EXPECT_THAT(ids(take()), IsEmpty());
}

TEST_F(changes_test, an_end_can_be_read_once_it_was_told) {
  for (int i = 0; i < 50; ++i) {
    const auto job = job_for("ann");
    const auto job_works = commit(job).at(0).taken;
    for (const auto& work : job_works)
      accept_all(work);
    const auto set = take();
    ASSERT_THAT(ids(set), ElementsAre(job.id));
    EXPECT_TRUE(set.jobs[0].completed_at);
  }
}

TEST_F(changes_test, more_than_are_remembered_are_lost_and_that_is_said_once) {
  sqlite::change_notes notes;
  notes.watch(true);
  for (std::size_t i = 0; i <= sqlite::change_notes::most; ++i)
    notes.note_job(static_cast<std::int64_t>(i));
  notes.publish();
  EXPECT_TRUE(notes.take(10).lost);
  EXPECT_FALSE(notes.take(10).lost);
}

TEST_F(changes_test, what_was_put_back_comes_again) {
  sqlite::change_notes notes;
  notes.watch(true);
  notes.note_job(1);
  notes.publish();
  const auto some = notes.take(10);
  EXPECT_THAT(notes.take(10).jobs, IsEmpty());
  notes.put_back(some);
  EXPECT_THAT(notes.take(10).jobs, ElementsAre(1));
}

TEST_F(changes_test, the_recent_are_open_or_ended_lately) {
  const auto old = job_for("ann");
  const auto old_works = commit(old).at(0).taken;
  for (const auto& work : old_works)
    accept_all(work);
  advance(11min);
  const auto lately = job_for("ann");
  const auto lately_works = commit(lately).at(0).taken;
  for (const auto& work : lately_works)
    accept_all(work);
  const auto open = job_for("ann");
  commit(open);
  commit(job_for("bob"));
  EXPECT_THAT(ids(recent()), ElementsAre(open.id, lately.id));
  EXPECT_THAT(ids(recent(1)), ElementsAre(open.id));
}

} // namespace
} // namespace signalbox
