// One row that the database refuses, or that is damaged, never stops the others.

#include "adapters/store/sqlite/connection.hpp"
#include "tests/adapters/store/store_fixture.hpp"

#include <gmock/gmock.h>

#include <algorithm>

namespace signalbox {
namespace {

using testing::Contains;
using testing::SizeIs;

using namespace std::chrono_literals;

class poison : public store_fixture {
protected:
  static constexpr int batch = 500;

  // One user and one job for each.
  void start_jobs(std::optional<timestamp> not_before = std::nullopt) {
    store = open();
    std::vector<token_registration> tokens;
    for (int i = 0; i < batch; ++i)
      tokens.push_back({"u" + std::to_string(i),
                        platform::apns,
                        environment::production,
                        "t" + std::to_string(i),
                        {}});
    ASSERT_TRUE(await<registration_result>([&](auto done) {
                  store->register_tokens(default_app, tokens, std::move(done));
                }).ok());
    std::vector<job_submission> jobs;
    for (int i = 0; i < batch; ++i) {
      jobs.push_back({job_for("u" + std::to_string(i)), false});
      jobs.back().job.not_before = not_before;
      ids.push_back(jobs.back().job.id);
    }
    ASSERT_TRUE(await<std::vector<commit_result>>([&](auto done) {
                  store->commit_jobs(jobs, 15s, std::move(done));
                }).ok());
  }

  void tamper(const std::string& sql) {
    sqlite::connection tool{options().path, {}};
    tool.run(sql);
  }

  job_view view(const job_id& id) {
    return await<job_view>([&](auto done) { store->get_job(default_app, id, std::move(done)); })
      .value;
  }

  // Pass after pass, however much time one takes.
  sweep_result sweep() {
    sweep_result sum;
    do {
      const auto swept =
        await<sweep_result>([&](auto done) { store->sweep({"push"}, std::move(done)); });
      EXPECT_TRUE(swept.ok()) << swept.message;
      const auto released = sum.released + swept.value.released;
      const auto faulty = sum.faulty + swept.value.faulty;
      sum = swept.value;
      sum.released = released;
      sum.faulty = faulty;
    } while (sum.more);
    return sum;
  }

  std::vector<work_ptr> claim() {
    auto claimed = await<claim_result>([&](auto done) {
      store->claim({"push", {{{}, 100'000}}, 10'000, 15s}, std::move(done));
    });
    EXPECT_TRUE(claimed.ok()) << claimed.message;
    return std::move(claimed.value.works);
  }

  result<flush_result> flush(const std::vector<work_ptr>& works, outcome_status status) {
    std::vector<outcome_batch> batches;
    for (const auto& work : works) {
      outcome one;
      one.token = work->targets.at(0).id;
      one.index = work->targets.at(0).index;
      one.status = status;
      one.reason = "ServiceUnavailable";
      one.retry_at = now() + 1h;
      batches.push_back({work, {}, {one}, now()});
    }
    return await<flush_result>([&](auto done) { store->flush(batches, std::move(done)); });
  }

  std::int64_t completed() {
    std::vector<job_id> all = ids;
    await<std::vector<job_id>>([&](auto done) { store->complete(all, std::move(done)); });
    std::int64_t count = 0;
    for (const auto& id : ids)
      count += view(id).completed_at ? 1 : 0;
    return count;
  }

  std::unique_ptr<sqlite_store> store;
  std::vector<job_id> ids;
};

TEST_F(poison, a_job_that_cannot_be_released_is_set_aside_by_the_sweep) {
  start_jobs(now() + 1s);
  tamper("CREATE TRIGGER poison BEFORE UPDATE ON jobs WHEN old.n = 251 AND new.status = 2 "
         "BEGIN SELECT RAISE(ABORT, 'poison'); END");
  advance(2s);
  const auto swept = sweep();
  EXPECT_EQ(swept.released, 499u);
  EXPECT_EQ(swept.faulty, 1u);
  EXPECT_EQ(view(ids[250]).status, job_status::failed);
  EXPECT_TRUE(view(ids[250]).completed_at);
  EXPECT_EQ(sweep().faulty, 0u);
}

TEST_F(poison, a_job_that_cannot_be_written_at_all_is_left_alone) {
  start_jobs(now() + 1s);
  tamper("CREATE TRIGGER poison BEFORE UPDATE ON jobs WHEN old.n = 251 "
         "BEGIN SELECT RAISE(ABORT, 'poison'); END");
  advance(2s);
  EXPECT_EQ(sweep().released, 499u);
  const auto swept = sweep();
  EXPECT_EQ(swept.faulty, 0u) << "not again and again";
  EXPECT_TRUE(swept.plan_due);
  EXPECT_EQ(view(ids[250]).status, job_status::scheduled);
}

TEST_F(poison, a_step_of_the_sweep_that_fails_stops_no_other) {
  start_jobs(now() + 1s);
  claim();
  tamper("CREATE TRIGGER poison BEFORE UPDATE ON counters WHEN new.name = 'clock' "
         "BEGIN SELECT RAISE(ABORT, 'poison'); END");
  advance(1min);
  const auto swept = sweep();
  EXPECT_GE(swept.faulty, 1u) << "one a pass";
  EXPECT_EQ(swept.released, 500u);
}

TEST_F(poison, a_damaged_target_list_is_dead_lettered_by_the_claim) {
  start_jobs();
  tamper("UPDATE chunks SET ids = x'ff' WHERE job = 251");
  const auto works = claim();
  EXPECT_THAT(works, SizeIs(499));
  EXPECT_TRUE(flush(works, outcome_status::accepted).ok());
  EXPECT_EQ(completed(), 500);
  EXPECT_EQ(view(ids[250]).status, job_status::completed);
  EXPECT_EQ(view(ids[250]).counts, (job_counts{0, 1, 0, 0, 0}));
  const auto letters = await<page_of<dead_letter_view>>([&](auto done) {
                         store->list_dead_letters({}, {{}, 10}, std::move(done));
                       }).value.items;
  ASSERT_THAT(letters, SizeIs(1));
  EXPECT_EQ(letters[0].job, ids[250]);
  EXPECT_EQ(letters[0].reason, "corrupt");
  EXPECT_EQ(letters[0].token, "");
  EXPECT_EQ(await<replay_result>([&](auto done) {
              store->replay_dead_letters({}, false, std::move(done));
            }).value.targets,
            0);
}

TEST_F(poison, a_damaged_target_list_is_dead_lettered_by_the_sweep_too) {
  start_jobs();
  EXPECT_THAT(claim(), SizeIs(500));
  tamper("UPDATE chunks SET ids = x'ff', done = x'00ffff', expiries = 4 WHERE job = 251");
  advance(15s);
  sweep();
  EXPECT_EQ(view(ids[250]).counts.rejected, 1);
  EXPECT_TRUE(view(ids[250]).completed_at);
  EXPECT_THAT(claim(), SizeIs(499));
}

TEST_F(poison, a_damaged_target_list_leaves_its_retries_their_own_counts) {
  start_jobs();
  claim();
  std::vector<token_registration> devices;
  for (int i = 0; i < 5; ++i)
    devices.push_back(
      {"ann", platform::apns, environment::production, "a" + std::to_string(i), {}});
  await<registration_result>(
    [&](auto done) { store->register_tokens(default_app, devices, std::move(done)); });
  const job_submission five{job_for("ann"), false};
  await<std::vector<commit_result>>(
    [&](auto done) { store->commit_jobs({five}, 15s, std::move(done)); });
  const auto work = claim().at(0);
  ASSERT_THAT(work->targets, SizeIs(5));
  outcome_batch first{work, {0}, {}, now()};
  for (std::size_t i = 1; i < 3; ++i) {
    outcome one;
    one.token = work->targets[i].id;
    one.index = work->targets[i].index;
    one.status = outcome_status::retry;
    one.retry_at = now() + std::chrono::hours{i};
    first.others.push_back(one);
  }
  const auto write = [&](const outcome_batch& batch) {
    const auto flushed =
      await<flush_result>([&](auto done) { store->flush({batch}, std::move(done)); });
    EXPECT_EQ(flushed.value.stale, 0u);
  };
  write(first);
  tamper("UPDATE chunks SET ids = x'ff', expiries = 4 WHERE job = 501");
  const auto end_a_retry = [&] {
    advance(1h);
    const auto works = claim();
    const auto retry = std::find_if(works.begin(), works.end(),
                                    [](const auto& one) { return one->kind == work_kind::retry; });
    ASSERT_NE(retry, works.end());
    ASSERT_THAT((*retry)->targets, SizeIs(1));
    write({*retry, {0}, {}, now()});
    sweep();
  };
  end_a_retry();
  EXPECT_EQ(view(five.job.id).counts, (job_counts{2, 2, 0, 0, 0})) << "one waits for its retry";
  EXPECT_FALSE(view(five.job.id).completed_at);
  end_a_retry();
  EXPECT_EQ(view(five.job.id).counts, (job_counts{3, 2, 0, 0, 0}));
  EXPECT_TRUE(view(five.job.id).completed_at);
}

TEST_F(poison, a_lease_that_cannot_be_ended_holds_up_no_other) {
  start_jobs();
  EXPECT_THAT(claim(), SizeIs(500));
  tamper("CREATE TRIGGER poison BEFORE UPDATE ON chunks WHEN old.job = 251 "
         "BEGIN SELECT RAISE(ABORT, 'poison'); END");
  advance(15s);
  EXPECT_EQ(sweep().faulty, 1u);
  EXPECT_THAT(claim(), SizeIs(499));
  tamper("DROP TRIGGER poison");
  advance(2min);
  EXPECT_THAT(claim(), SizeIs(500));
}

TEST_F(poison, a_lease_that_cannot_be_renewed_or_given_back_holds_up_no_other) {
  start_jobs();
  std::vector<lease_ref> leases;
  for (const auto& work : claim())
    leases.push_back({work->kind, work->key, work->epoch});
  ASSERT_THAT(leases, SizeIs(500));
  tamper("CREATE TRIGGER poison BEFORE UPDATE ON chunks WHEN old.job = 251 "
         "BEGIN SELECT RAISE(ABORT, 'poison'); END");
  const auto renewed =
    await<renewal>([&](auto done) { store->renew(leases, 15s, std::move(done)); });
  ASSERT_TRUE(renewed.ok()) << renewed.message;
  EXPECT_EQ(std::count_if(renewed.value.leases.begin(), renewed.value.leases.end(),
                          [](const auto& one) { return one.held; }),
            499);
  EXPECT_TRUE(await<unit>([&](auto done) { store->release(leases, std::move(done)); }).ok());
  EXPECT_THAT(claim(), SizeIs(499));
}

TEST_F(poison, a_chunk_that_cannot_be_given_back_after_a_pause_holds_up_no_other) {
  start_jobs();
  tamper("UPDATE chunks SET status = 4");
  tamper("CREATE TRIGGER poison BEFORE UPDATE ON chunks WHEN old.job = 251 "
         "BEGIN SELECT RAISE(ABORT, 'poison'); END");
  store.reset();
  store = open();
  sweep();
  EXPECT_THAT(claim(), SizeIs(499));
}

TEST_F(poison, a_chunk_that_cannot_be_leased_holds_up_no_claim) {
  start_jobs();
  tamper("CREATE TRIGGER poison BEFORE UPDATE ON chunks WHEN old.job = 251 "
         "BEGIN SELECT RAISE(ABORT, 'poison'); END");
  EXPECT_THAT(claim(), SizeIs(499));
  EXPECT_THAT(claim(), SizeIs(0));
}

TEST_F(poison, a_retry_that_cannot_be_written_holds_up_no_other) {
  start_jobs();
  EXPECT_TRUE(flush(claim(), outcome_status::retry).ok());
  tamper("CREATE TRIGGER poison BEFORE DELETE ON retries WHEN old.job = 251 "
         "BEGIN SELECT RAISE(ABORT, 'poison'); END");
  advance(1h);
  const auto works = claim();
  EXPECT_THAT(works, SizeIs(500)) << "a lease is no write";
  const auto flushed = flush(works, outcome_status::retry);
  ASSERT_TRUE(flushed.ok()) << flushed.message;
  EXPECT_EQ(flushed.value.faulty, 1u);
  EXPECT_EQ(flushed.value.stale, 0u);
  advance(1h);
  EXPECT_THAT(claim(), SizeIs(500)) << "its lease has ended";
}

TEST_F(poison, an_outcome_that_cannot_be_stored_costs_the_flush_no_other) {
  start_jobs();
  const auto works = claim();
  tamper("CREATE TRIGGER poison BEFORE INSERT ON receipts WHEN new.job = 251 "
         "BEGIN SELECT RAISE(ABORT, 'poison'); END");
  const auto flushed = flush(works, outcome_status::rejected);
  ASSERT_TRUE(flushed.ok()) << flushed.message;
  EXPECT_EQ(flushed.value.faulty, 1u);
  EXPECT_THAT(flushed.value.finished_chunks_of, SizeIs(500)) << "it counts, without a receipt";
  EXPECT_EQ(completed(), 500);
}

TEST_F(poison, a_retry_that_cannot_be_stored_ends_as_rejected) {
  start_jobs();
  const auto works = claim();
  tamper("CREATE TRIGGER poison BEFORE INSERT ON retries WHEN new.job = 251 "
         "BEGIN SELECT RAISE(ABORT, 'poison'); END");
  const auto flushed = flush(works, outcome_status::retry);
  ASSERT_TRUE(flushed.ok()) << flushed.message;
  EXPECT_EQ(flushed.value.faulty, 1u);
  EXPECT_EQ(completed(), 1);
  EXPECT_EQ(view(ids[250]).counts.rejected, 1);
}

TEST_F(poison, a_work_that_cannot_be_stored_costs_the_flush_no_other) {
  start_jobs();
  const auto works = claim();
  tamper("CREATE TRIGGER poison BEFORE UPDATE ON chunks WHEN old.job = 251 "
         "BEGIN SELECT RAISE(ABORT, 'poison'); END");
  const auto flushed = flush(works, outcome_status::accepted);
  ASSERT_TRUE(flushed.ok()) << flushed.message;
  EXPECT_EQ(flushed.value.faulty, 1u);
  EXPECT_THAT(flushed.value.finished_chunks_of, SizeIs(499));
  EXPECT_EQ(completed(), 499);
}

TEST_F(poison, a_damaged_list_of_users_fails_its_job) {
  start_jobs();
  auto job = job_for({});
  job.scope = {scope_kind::users, {}, {}, {}};
  for (int i = 0; i < batch; ++i)
    job.scope.users.push_back("u" + std::to_string(i));
  job.not_before = now() + 1s;
  await<std::vector<commit_result>>([&](auto done) {
    store->commit_jobs({{job, false}}, 15s, std::move(done));
  });
  tamper("UPDATE job_scopes SET list = x'ff'");
  advance(2s);
  sweep();
  await<plan_result>([&](auto done) { store->plan("push", 1'000, std::move(done)); });
  sweep();
  EXPECT_EQ(view(job.id).status, job_status::failed);
  EXPECT_TRUE(view(job.id).completed_at);
}

} // namespace
} // namespace signalbox
