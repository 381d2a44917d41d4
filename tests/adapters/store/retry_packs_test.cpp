// Targets that wait for their retry stand together in few rows, and end each for itself.

#include "adapters/store/sqlite/connection.hpp"
#include "tests/adapters/store/store_fixture.hpp"

#include <gmock/gmock.h>
#include <sqlite3.h>

#include <atomic>
#include <set>
#include <string>

namespace signalbox {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

using namespace std::chrono_literals;

class retry_packs : public store_fixture {
protected:
  static constexpr std::size_t devices = 600;

  void SetUp() override {
    store = open();
    std::vector<token_registration> tokens;
    for (std::size_t i = 0; i < devices; ++i)
      tokens.push_back({"u" + std::to_string(i),
                        platform::apns,
                        environment::production,
                        "t" + std::to_string(i),
                        {"news"}});
    ASSERT_TRUE(await<registration_result>([&](auto done) {
                  store->register_tokens(default_app, tokens, std::move(done));
                }).ok());
  }

  // The works of a new job to all: two chunks.
  std::vector<work_ptr> start() {
    auto job = job_for({});
    job.scope = {scope_kind::topic, "news", {}, {}};
    id = job.id;
    await<std::vector<commit_result>>([&](auto done) {
      store->commit_jobs({{job, false}}, 15s, std::move(done));
    });
    await<plan_result>([&](auto done) { store->plan("push", devices / 2, std::move(done)); });
    return claim();
  }

  std::vector<work_ptr> claim(std::size_t budget = 100'000) {
    auto claimed = await<claim_result>([&](auto done) {
      store->claim({"push", {{{}, budget}}, 10'000, 15s}, std::move(done));
    });
    EXPECT_TRUE(claimed.ok()) << claimed.message;
    return std::move(claimed.value.works);
  }

  // All targets of the works fail, and are due again by `wait` of a target's place.
  template <class Wait>
  std::vector<outcome_batch> failed(const std::vector<work_ptr>& works, Wait wait) {
    std::vector<outcome_batch> batches;
    for (const auto& work : works) {
      outcome_batch batch{work, {}, {}, now()};
      for (std::size_t i = 0; i < work->targets.size(); ++i) {
        outcome one;
        one.token = work->targets[i].id;
        one.index = work->targets[i].index;
        one.status = outcome_status::retry;
        one.reason = "ServiceUnavailable";
        one.attempts = static_cast<std::uint16_t>(work->targets[i].attempts + 1);
        one.retry_at = now() + wait(i);
        batch.others.push_back(one);
      }
      batches.push_back(std::move(batch));
    }
    return batches;
  }

  // As many of a work as `end` says, from `begin`.
  static outcome_batch accepted(const work_ptr& work, std::size_t begin, std::size_t end) {
    outcome_batch batch{work, {}, {}, {}};
    for (auto i = begin; i < end; ++i)
      batch.accepted.push_back(static_cast<std::uint32_t>(i));
    return batch;
  }

  flush_result flush(const std::vector<outcome_batch>& batches) {
    const auto flushed =
      await<flush_result>([&](auto done) { store->flush(batches, std::move(done)); });
    EXPECT_TRUE(flushed.ok()) << flushed.message;
    return flushed.value;
  }

  void complete() {
    await<std::vector<job_id>>([&](auto done) { store->complete({id}, std::move(done)); });
  }

  void reopen() {
    store.reset();
    store = open();
  }

  job_view view() {
    return await<job_view>([&](auto done) { store->get_job(default_app, id, std::move(done)); })
      .value;
  }

  std::vector<dead_letter_view> letters() {
    return await<page_of<dead_letter_view>>([&](auto done) {
             store->list_dead_letters({}, {{}, 10}, std::move(done));
           })
      .value.items;
  }

  backlog measure() {
    return await<backlog>([&](auto done) { store->measure("push", std::move(done)); }).value;
  }

  std::vector<std::int64_t> sizes() {
    sqlite::connection tool{options().path, {}};
    std::vector<std::int64_t> list;
    auto found = tool.query("SELECT size FROM retries ORDER BY n");
    while (found.next())
      list.push_back(found.integer(0));
    return list;
  }

  void tamper(const std::string& sql) {
    sqlite::connection tool{options().path, {}};
    tool.run(sql);
  }

  // As many further packs, each with what the last one has.
  void copy_last_pack(int copies) {
    tamper("WITH RECURSIVE copy(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM copy WHERE i < " +
           std::to_string(copies) +
           ") INSERT INTO retries(job, lane, app, pool, run_at, written_at, size, entries) "
           "SELECT job, lane, app, pool, run_at, written_at, size, entries FROM retries, copy "
           "WHERE n = (SELECT MAX(n) FROM retries)");
  }

  // How many transactions a claim takes that finds nothing to do.
  int transactions_of_claim() {
    store.reset();
    const auto commits = std::make_shared<std::atomic<int>>(0);
    auto counted = options();
    counted.fault = [commits] {
      ++*commits;
      return 0;
    };
    store = sqlite_store::open(counted).value;
    *commits = 0;
    EXPECT_THAT(claim(), IsEmpty());
    return *commits;
  }

  static std::set<token_id> ids_in(const work_ptr& work, std::size_t begin) {
    std::set<token_id> ids;
    for (auto i = begin; i < work->targets.size(); ++i)
      ids.insert(work->targets[i].id);
    return ids;
  }

  static std::size_t targets_in(const std::vector<work_ptr>& works) {
    std::size_t sum = 0;
    for (const auto& work : works)
      sum += work->targets.size();
    return sum;
  }

  std::unique_ptr<sqlite_store> store;
  job_id id;
};

TEST_F(retry_packs, what_is_due_together_of_all_chunks_shares_rows) {
  flush(failed(start(), [](std::size_t i) { return i % 2 == 0 ? 1s : 60s; }));
  EXPECT_THAT(sizes(), ElementsAre(256, 44, 256, 44));
  EXPECT_EQ(measure().waiting_retries, 600);
  advance(1s);
  EXPECT_EQ(measure().due_retries, 300);
  const auto works = claim();
  ASSERT_THAT(works, SizeIs(1)) << "of both chunks";
  EXPECT_THAT(works[0]->targets, SizeIs(300));
  EXPECT_EQ(measure().due_retries, 0);
  EXPECT_EQ(measure().waiting_retries, 300);
  EXPECT_THAT(claim(), IsEmpty());
}

TEST_F(retry_packs, none_is_early_and_none_a_tenth_of_a_second_late) {
  flush(failed(start(), [](std::size_t i) { return std::chrono::milliseconds{1'000 + i % 10}; }));
  EXPECT_THAT(sizes(), ElementsAre(256, 256, 88));
  advance(1'008ms);
  EXPECT_THAT(claim(), IsEmpty());
  advance(1ms);
  EXPECT_EQ(targets_in(claim()), devices);
  flush(failed(start(), [](std::size_t i) { return std::chrono::milliseconds{i}; }));
  EXPECT_THAT(sizes(), ElementsAre(256, 256, 88, 182, 200, 200, 18));
  std::size_t claimed = 0;
  for (std::size_t time = 0; time < 300; time += 10) {
    claimed += targets_in(claim());
    EXPECT_LE(claimed, 2 * (time + 1));
    EXPECT_GE(claimed + 2 * 100, 2 * (time + 1));
    advance(10ms);
  }
}

TEST_F(retry_packs, a_claim_takes_whole_packs_up_to_its_budget) {
  flush(failed(start(), [](std::size_t) { return 0ms; }));
  EXPECT_THAT(sizes(), ElementsAre(256, 256, 88));
  EXPECT_EQ(targets_in(claim(600)), 512u) << "half of the budget, and the rest of a pack";
  EXPECT_EQ(targets_in(claim(600)), 88u);
}

TEST_F(retry_packs, of_a_large_job_do_not_hold_up_those_of_a_small_one) {
  flush(failed(start(), [](std::size_t) { return 0ms; }));
  copy_last_pack(100);
  const auto small = job_for("u7");
  const auto made = await<std::vector<commit_result>>([&](auto done) {
    store->commit_jobs({{small, true}}, 15s, std::move(done));
  });
  flush(failed(made.value.at(0).taken, [](std::size_t) { return 1s; }));
  advance(1100ms);
  std::vector<job_id> jobs;
  for (int i = 0; i < 3; ++i)
    for (const auto& work : claim(1'000))
      jobs.push_back(work->key.job);
  EXPECT_THAT(jobs, Contains(small.id));
  std::size_t left = 0;
  while (const auto more = targets_in(claim(1'000)))
    left += more;
  EXPECT_GT(left, 0u);
  EXPECT_EQ(measure().due_retries, 0);
}

TEST_F(retry_packs, of_every_job_have_their_turn_while_others_are_leased) {
  flush(failed(start(), [](std::size_t) { return 0ms; }));
  copy_last_pack(1'000);
  std::set<job_id> small;
  for (int i = 0; i < 100; ++i) {
    const auto job = job_for("u" + std::to_string(i));
    const auto made = await<std::vector<commit_result>>([&](auto done) {
      store->commit_jobs({{job, true}}, 15s, std::move(done));
    });
    flush(failed(made.value.at(0).taken, [](std::size_t) { return 1s; }));
    small.insert(job.id);
  }
  advance(1100ms);
  for (int i = 0; i < 4; ++i)
    for (const auto& work : claim(500))
      small.erase(work->key.job);
  EXPECT_THAT(small, IsEmpty());
}

TEST_F(retry_packs, a_claim_takes_so_many_of_all_destinations_together) {
  flush(failed(start(), [](std::size_t) { return 0ms; }));
  copy_last_pack(40);
  tamper("UPDATE retries SET pool = 18 WHERE n % 2 = 0");
  const auto claimed = await<claim_result>([&](auto done) {
    const destination sandbox{default_app, platform::apns, environment::sandbox};
    store->claim({"push", {{{}, 100'000}, {sandbox, 100'000}}, 64, 15s}, std::move(done));
  });
  std::size_t targets = 0;
  for (const auto& work : claimed.value.works)
    targets += work->size();
  EXPECT_GE(targets, 1'000u);
  EXPECT_LT(targets, 1'256u);
}

TEST_F(retry_packs, leave_new_work_its_turn_where_budgets_are_smaller_than_a_pack) {
  flush(failed(start(), [](std::size_t) { return 0ms; }));
  copy_last_pack(10);
  auto job = job_for({});
  job.scope = {scope_kind::topic, "news", {}, {}};
  await<std::vector<commit_result>>([&](auto done) {
    store->commit_jobs({{job, false}}, 15s, std::move(done));
  });
  await<plan_result>([&](auto done) { store->plan("push", devices / 2, std::move(done)); });
  std::vector<work_kind> kinds;
  for (int i = 0; i < 6; ++i)
    for (const auto& work : claim(50))
      kinds.push_back(work->kind);
  EXPECT_THAT(kinds, ElementsAre(work_kind::retry, work_kind::chunk, work_kind::retry,
                                 work_kind::chunk, work_kind::retry, work_kind::retry));
}

// The job whose chunks would be next has ended, and is being closed.
TEST_F(retry_packs, are_claimed_where_new_work_has_its_turn_and_is_none) {
  flush(failed(start(), [](std::size_t) { return 0ms; }));
  auto job = job_for({});
  job.scope = {scope_kind::topic, "news", {}, {}};
  await<std::vector<commit_result>>([&](auto done) {
    store->commit_jobs({{job, false}}, 15s, std::move(done));
  });
  await<plan_result>([&](auto done) { store->plan("push", devices / 2, std::move(done)); });
  EXPECT_EQ(claim(50).at(0)->kind, work_kind::retry);
  tamper("UPDATE jobs SET status = 7 WHERE n = 2");
  ASSERT_THAT(claim(50), SizeIs(1));
}

TEST_F(retry_packs, those_that_end_leave_their_packs) {
  flush(failed(start(), [](std::size_t) { return 0ms; }));
  const auto work = claim().at(0);
  EXPECT_EQ(flush({accepted(work, 0, 100)}).stale, 0u);
  EXPECT_THAT(sizes(), ElementsAre(206, 206, 88)) << "in the order of their chunks";
  EXPECT_EQ(flush({accepted(work, 50, 300)}).stale, 50u) << "those that have ended";
  EXPECT_THAT(sizes(), ElementsAre(106, 106, 88));
  EXPECT_EQ(view().counts.accepted, 300);
  EXPECT_THAT(claim(), IsEmpty()) << "the rest is leased still";
  auto rest = failed({work}, [](std::size_t) { return 1s; });
  EXPECT_EQ(flush(rest).stale, 300u);
  EXPECT_THAT(sizes(), ElementsAre(256, 44)) << "in packs of their own";
  EXPECT_EQ(flush({accepted(work, 0, devices)}).stale, 600u) << "the lease ended with them";
  advance(1s);
  const auto again = claim().at(0);
  ASSERT_THAT(again->targets, SizeIs(300));
  EXPECT_EQ(again->targets[0].attempts, 2);
  flush({accepted(again, 0, 300)});
  EXPECT_THAT(sizes(), IsEmpty());
  complete();
  EXPECT_TRUE(view().completed_at);
  EXPECT_EQ(view().counts, (job_counts{600, 0, 0, 0, 0}));
}

TEST_F(retry_packs, one_that_is_empty_has_no_more_to_end) {
  flush(failed(start(), [](std::size_t) { return 0ms; }));
  const auto work = claim().at(0);
  const auto tokens = ids_in(work, 0);
  outcome_batch small{work, {}, {}, {}}; // what is in the last one
  for (std::uint32_t i = 0; i < devices; ++i)
    if (work->targets[i].id > *std::next(tokens.begin(), 511))
      small.accepted.push_back(i);
  ASSERT_THAT(small.accepted, SizeIs(88));
  EXPECT_EQ(flush({small}).stale, 0u);
  EXPECT_THAT(sizes(), ElementsAre(256, 256));
  EXPECT_EQ(flush({small}).stale, 88u);
  const auto again = await<work_ptr>([&](auto done) {
    store->reload({work->kind, work->key, work->epoch}, std::move(done));
  });
  EXPECT_THAT(again.value->targets, SizeIs(512));
  EXPECT_EQ(view().counts, (job_counts{88, 0, 0, 0, 0}));
}

TEST_F(retry_packs, are_kept_by_a_crash_with_what_was_left_in_them) {
  flush(failed(start(), [](std::size_t) { return 0ms; }));
  const auto work = claim().at(0);
  flush({accepted(work, 0, 100)});
  reopen();
  EXPECT_EQ(flush({accepted(work, 100, 200)}).stale, 100u);
  const auto again = claim().at(0);
  ASSERT_THAT(again->targets, SizeIs(500));
  EXPECT_EQ(again->targets[0].attempts, 1);
  EXPECT_EQ(ids_in(again, 0), ids_in(work, 100));
  flush({accepted(again, 0, 500)});
  complete();
  EXPECT_EQ(view().counts, (job_counts{600, 0, 0, 0, 0}));
  EXPECT_TRUE(view().completed_at);
}

TEST_F(retry_packs, are_loaded_again_for_the_successor_of_a_sender) {
  flush(failed(start(), [](std::size_t) { return 0ms; }));
  const auto work = claim().at(0);
  flush({accepted(work, 0, 300)});
  const auto again = await<work_ptr>([&](auto done) {
    store->reload({work->kind, work->key, work->epoch}, std::move(done));
  });
  ASSERT_TRUE(again.value);
  EXPECT_THAT(again.value->targets, SizeIs(300));
  EXPECT_EQ(flush({accepted(again.value, 0, 300)}).stale, 0u);
  EXPECT_THAT(sizes(), IsEmpty());
}

TEST_F(retry_packs, a_refused_entry_takes_no_other_with_it) {
  const auto works = start();
  ASSERT_EQ(works[0]->targets.at(6).id, 7) << "the first byte of its entry";
  const auto refuse = [&](const std::string& token) {
    tamper("DROP TRIGGER IF EXISTS poison; CREATE TRIGGER poison BEFORE INSERT ON retries "
           "WHEN new.size > 200 OR hex(new.entries) LIKE '" +
           token + "%' BEGIN SELECT RAISE(ABORT, 'poison'); END");
  };
  refuse("07");
  const auto flushed = flush(failed(works, [](std::size_t) { return 0ms; }));
  EXPECT_EQ(flushed.faulty, 1u);
  EXPECT_THAT(flushed.finished_chunks_of, ElementsAre(id));
  EXPECT_EQ(view().counts, (job_counts{0, 1, 0, 0, 0}));
  const auto again = claim().at(0);
  ASSERT_THAT(again->targets, SizeIs(599));
  refuse("08");
  const auto repeated = flush(failed({again}, [](std::size_t) { return 1s; }));
  EXPECT_EQ(repeated.faulty, 1u);
  EXPECT_EQ(repeated.stale, 0u);
  EXPECT_THAT(repeated.finished_chunks_of, ElementsAre(id));
  EXPECT_EQ(view().counts, (job_counts{0, 2, 0, 0, 0}));
  advance(1s);
  const auto rest = claim().at(0);
  ASSERT_THAT(rest->targets, SizeIs(598));
  flush({accepted(rest, 0, 598)});
  complete();
  EXPECT_EQ(view().counts, (job_counts{598, 2, 0, 0, 0}));
  EXPECT_TRUE(view().completed_at);
}

// The database gives up the whole transaction: so does the flush, and it can be repeated.
TEST_F(retry_packs, are_not_written_without_what_they_come_of) {
  const auto batches = failed(start(), [](std::size_t) { return 0ms; });
  tamper("CREATE TRIGGER poison BEFORE INSERT ON retries BEGIN SELECT RAISE(ROLLBACK, 'poison'); "
         "END");
  EXPECT_FALSE(
    await<flush_result>([&](auto done) { store->flush(batches, std::move(done)); }).ok());
  tamper("DROP TRIGGER poison");
  EXPECT_EQ(view().counts, job_counts{});
  EXPECT_EQ(flush(batches).faulty, 0u);
  const auto again = claim().at(0);
  flush({accepted(again, 0, devices)});
  complete();
  EXPECT_EQ(view().counts, (job_counts{600, 0, 0, 0, 0}));
}

// Their targets are in flight still, and the outcomes are reported again.
TEST_F(retry_packs, stay_leased_when_a_flush_of_them_is_rolled_back) {
  flush(failed(start(), [](std::size_t) { return 0ms; }));
  const auto work = claim().at(0);
  tamper("CREATE TRIGGER poison BEFORE INSERT ON chunks WHEN new.targets = 0 "
         "BEGIN SELECT RAISE(ABORT, 'poison'); END");
  EXPECT_EQ(flush({accepted(work, 0, devices)}).faulty, devices);
  EXPECT_THAT(claim(), IsEmpty());
  tamper("DROP TRIGGER poison");
  EXPECT_EQ(flush({accepted(work, 0, devices)}).stale, 0u);
  EXPECT_EQ(view().counts, (job_counts{600, 0, 0, 0, 0}));
  EXPECT_THAT(sizes(), IsEmpty());
}

TEST_F(retry_packs, are_claimed_as_soon_as_their_lease_ends) {
  const auto works = start();
  flush(failed({works[0]}, [](std::size_t) { return 0ms; }));
  flush(failed({works[1]}, [](std::size_t) { return 14'900ms; }));
  EXPECT_EQ(targets_in(claim()), devices / 2);
  advance(14'900ms);
  EXPECT_EQ(targets_in(claim()), devices / 2);
  advance(100ms);
  EXPECT_EQ(targets_in(claim()), devices / 2) << "behind them claims were going on";
}

TEST_F(retry_packs, that_are_leased_are_not_counted_when_the_clock_is_put_back) {
  flush(failed(start(), [](std::size_t) { return 0ms; }));
  claim();
  advance(-1h);
  EXPECT_EQ(measure().due_retries, 0);
}

// The first chunk cannot be written: what of it is to be retried is rolled back with it.
TEST_F(retry_packs, so_many_rows_are_corrected_at_once_when_the_clock_is_put_back) {
  flush(failed(start(), [](std::size_t) { return 5s; }));
  sweep_request request{"push"};
  const auto sweep = [&] {
    return await<sweep_result>([&](auto done) { store->sweep(request, std::move(done)); }).value;
  };
  sweep();
  advance(-1h);
  request.limit = 2;
  EXPECT_TRUE(sweep().more);
  EXPECT_FALSE(sweep().more);
  advance(5s);
  EXPECT_EQ(targets_in(claim()), devices);
}

TEST_F(retry_packs, a_work_that_is_rolled_back_leaves_none_behind) {
  const auto works = start();
  tamper("CREATE TRIGGER poison BEFORE UPDATE ON chunks WHEN old.seq = 0 "
         "BEGIN SELECT RAISE(ABORT, 'poison'); END");
  const auto batches = failed(works, [](std::size_t) { return 0ms; });
  EXPECT_EQ(flush(batches).faulty, 300u);
  EXPECT_THAT(sizes(), ElementsAre(256, 44)) << "of the second";
  tamper("DROP TRIGGER poison");
  EXPECT_EQ(flush(batches).faulty, 0u);
  EXPECT_THAT(sizes(), ElementsAre(256, 44, 256, 44));
  const auto again = claim().at(0);
  flush({accepted(again, 0, devices)});
  complete();
  EXPECT_EQ(view().counts, (job_counts{600, 0, 0, 0, 0}));
}

TEST_F(retry_packs, a_damaged_one_is_dead_lettered_by_the_claim) {
  flush(failed(start(), [](std::size_t) { return 0ms; }));
  tamper("UPDATE retries SET entries = x'ff' WHERE n = 1");
  const auto work = claim().at(0);
  EXPECT_THAT(work->targets, SizeIs(344)) << "the others go on";
  EXPECT_EQ(view().counts, (job_counts{0, 256, 0, 0, 0}));
  ASSERT_THAT(letters(), SizeIs(1));
  EXPECT_EQ(letters()[0].job, id);
  EXPECT_EQ(letters()[0].reason, "corrupt");
  EXPECT_EQ(letters()[0].lane, "push");
  EXPECT_EQ(letters()[0].token, "");
  flush({accepted(work, 0, 344)});
  complete();
  EXPECT_EQ(view().counts, (job_counts{344, 256, 0, 0, 0}));
  EXPECT_TRUE(view().completed_at);
}

TEST_F(retry_packs, the_last_one_damaged_completes_its_job) {
  flush(failed(start(), [](std::size_t) { return 0ms; }));
  tamper("UPDATE retries SET size = size + 1");
  EXPECT_THAT(claim(), IsEmpty());
  EXPECT_THAT(letters(), SizeIs(3));
  EXPECT_EQ(view().counts.rejected, 603) << "as the rows say";
  EXPECT_TRUE(view().completed_at);
}

TEST_F(retry_packs, whatever_a_damaged_one_says_its_job_completes_and_no_count_is_below_0) {
  flush(failed(start(), [](std::size_t) { return 0ms; }));
  tamper("UPDATE retries SET size = -1 WHERE n = 1");
  tamper("UPDATE retries SET size = 0, entries = x'' WHERE n > 1");
  EXPECT_THAT(claim(), IsEmpty());
  EXPECT_THAT(letters(), SizeIs(3));
  EXPECT_EQ(view().counts, job_counts{});
  EXPECT_TRUE(view().completed_at);
}

TEST_F(retry_packs, a_damaged_one_that_cannot_be_closed_is_looked_at_again_soon) {
  flush(failed(start(), [](std::size_t) { return 0ms; }));
  tamper("UPDATE retries SET entries = x'ff' WHERE n = 1; CREATE TRIGGER poison BEFORE DELETE ON "
         "retries BEGIN SELECT RAISE(ABORT, 'poison'); END");
  EXPECT_THAT(claim().at(0)->targets, SizeIs(344)) << "the others go on";
  EXPECT_THAT(letters(), IsEmpty());
  tamper("DROP TRIGGER poison");
  advance(500ms);
  EXPECT_THAT(claim(), IsEmpty());
  EXPECT_THAT(letters(), SizeIs(1));
  EXPECT_EQ(view().counts, (job_counts{0, 256, 0, 0, 0}));
}

TEST_F(retry_packs, a_damaged_one_that_is_leased_ends_after_its_lease) {
  flush(failed(start(), [](std::size_t) { return 0ms; }));
  const auto work = claim().at(0);
  tamper("UPDATE retries SET entries = x'ff' WHERE n = 1");
  EXPECT_EQ(flush({accepted(work, 0, devices)}).stale, 256u);
  EXPECT_EQ(view().counts, (job_counts{344, 0, 0, 0, 0}));
  advance(15s);
  EXPECT_THAT(claim(), IsEmpty());
  EXPECT_EQ(view().counts, (job_counts{344, 256, 0, 0, 0}));
  EXPECT_TRUE(view().completed_at);
}

TEST_F(retry_packs, of_a_job_that_ended_are_closed_in_slices) {
  flush(failed(start(), [](std::size_t) { return 1h; }));
  copy_last_pack(12);
  tamper("UPDATE jobs SET status = 7");
  sweep_request one_slice{"push"};
  one_slice.limit = 1;
  const auto sweep = [&] {
    return await<sweep_result>([&](auto done) { store->sweep(one_slice, std::move(done)); }).value;
  };
  EXPECT_TRUE(sweep().more);
  EXPECT_THAT(sizes(), ElementsAre(256, 256, 88)) << "1,000 and the rest of a pack";
  sweep();
  EXPECT_THAT(sizes(), IsEmpty());
  EXPECT_TRUE(view().completed_at);
}

// As a crash leaves them behind a resume.
TEST_F(retry_packs, that_no_pause_covers_are_given_back_in_slices) {
  flush(failed(start(), [](std::size_t) { return 0ms; }));
  tamper("UPDATE retries SET parked = 1");
  reopen();
  sweep_request two{"push"};
  two.limit = 2;
  for (const auto given_back : {512, 600}) {
    await<sweep_result>([&](auto done) { store->sweep(two, std::move(done)); });
    EXPECT_EQ(measure().due_retries, given_back);
  }
}

TEST_F(retry_packs, that_were_given_back_by_what_failed_are_given_back_by_the_next_pass) {
  flush(failed(start(), [](std::size_t) { return 0ms; }));
  for (int failing = 1; failing <= 9; ++failing) {
    store.reset();
    tamper("UPDATE retries SET parked = 1");
    auto failing_once = options();
    failing_once.fault = [left = std::make_shared<std::atomic<int>>(failing)] {
      return --*left == 0 ? SQLITE_FULL : SQLITE_OK;
    };
    store = sqlite_store::open(failing_once).value;
    for (const bool is_ok : {false, true})
      EXPECT_EQ(
        await<sweep_result>([&](auto done) { store->sweep({"push"}, std::move(done)); }).ok(),
        is_ok);
    EXPECT_EQ(measure().due_retries, 600) << failing;
  }
}

TEST_F(retry_packs, of_a_job_that_ended_are_closed_also_where_they_are_damaged) {
  flush(failed(start(), [](std::size_t) { return 1h; }));
  tamper("UPDATE retries SET entries = x'ff' WHERE n = 2");
  await<job_view>([&](auto done) { store->cancel_job(default_app, id, std::move(done)); });
  await<sweep_result>([&](auto done) { store->sweep({"push"}, std::move(done)); });
  EXPECT_EQ(view().counts, (job_counts{0, 256, 0, 0, 344}));
  EXPECT_TRUE(view().completed_at);
  EXPECT_THAT(sizes(), IsEmpty());
}

TEST_F(retry_packs, of_paused_jobs_are_parked_so_many_in_one_transaction) {
  flush(failed(start(), [](std::size_t) { return 0ms; }));
  copy_last_pack(4'500);
  work_rule rule;
  rule.job = id;
  await<pause_view>([&](auto done) { store->pause(rule, "", std::move(done)); });
  EXPECT_EQ(transactions_of_claim(), 3);
  EXPECT_EQ(measure().due_retries, 0);
}

// Somebody is closing the job.
TEST_F(retry_packs, of_jobs_that_ended_hold_up_neither_retries_nor_new_work) {
  flush(failed(start(), [](std::size_t) { return 0ms; }));
  copy_last_pack(4'500);
  tamper("UPDATE jobs SET status = 7; INSERT INTO jobs SELECT 2, x'02', app, lane, 4, plan_done, "
         "planned, next_seq, total, completed_at, accepted, rejected, unknown, expired, skipped, "
         "plan_cursor, deadline, scope_kind, scope_id, scope_name, not_before, expires_at, ttl, "
         "receipts, on_unknown, created_at, replay_of, payload, reference FROM jobs; "
         "UPDATE retries SET job = 2 WHERE n = (SELECT MAX(n) FROM retries)");
  reopen();
  await<std::vector<commit_result>>([&](auto done) {
    store->commit_jobs({{job_for("u0"), false}}, 15s, std::move(done));
  });
  await<plan_result>([&](auto done) { store->plan("push", 1'000, std::move(done)); });
  std::vector<work_kind> kinds;
  for (int i = 0; i < 2; ++i)
    for (const auto& work : claim())
      kinds.push_back(work->kind);
  EXPECT_THAT(kinds, ElementsAre(work_kind::retry, work_kind::chunk));
}

TEST_F(retry_packs, of_jobs_that_ended_are_closed_also_after_a_claim_came_upon_them) {
  flush(failed(start(), [](std::size_t) { return 0ms; }));
  tamper("UPDATE jobs SET status = 7");
  EXPECT_THAT(claim(), IsEmpty());
  EXPECT_EQ(measure().due_retries, 0);
  await<sweep_result>([&](auto done) { store->sweep({"push"}, std::move(done)); });
  EXPECT_THAT(sizes(), IsEmpty());
  EXPECT_TRUE(view().completed_at);
}

TEST_F(retry_packs, that_are_damaged_are_closed_so_many_in_one_transaction) {
  flush(failed(start(), [](std::size_t) { return 0ms; }));
  copy_last_pack(1'000);
  tamper("UPDATE retries SET entries = x'ff'");
  EXPECT_EQ(transactions_of_claim(), 1);
  EXPECT_THAT(sizes(), SizeIs(503));
  claim();
  claim();
  EXPECT_THAT(sizes(), IsEmpty());
}

// As only a damaged plan could have it.
TEST_F(retry_packs, a_target_that_is_in_two_chunks_waits_in_two_packs_and_ends_twice) {
  const auto works = start();
  auto batches = failed(works, [](std::size_t) { return 0ms; });
  for (auto& one : batches[1].others)
    one.token -= static_cast<token_id>(devices / 2);
  flush(batches);
  const auto claimed = claim();
  ASSERT_THAT(claimed, SizeIs(1));
  ASSERT_THAT(claimed[0]->targets, SizeIs(devices));
  EXPECT_EQ(flush({accepted(claimed[0], 0, devices)}).stale, 0u);
  EXPECT_THAT(sizes(), IsEmpty());
  complete();
  EXPECT_EQ(view().counts, (job_counts{600, 0, 0, 0, 0}));
}

} // namespace
} // namespace signalbox
