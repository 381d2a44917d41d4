// Where the order of an activity's dispatches cannot be known, nothing is sent.

#include "adapters/store/sqlite/connection.hpp"
#include "tests/adapters/store/store_fixture.hpp"

namespace signalbox {
namespace {

using namespace std::chrono_literals;

class activity_order : public store_fixture {
protected:
  void SetUp() override {
    store = open();
    for (int i = 0; i < 4; ++i) {
      activity_token_registration token;
      token.user = "u";
      token.token = "t" + std::to_string(i);
      token.kind = i < 3 ? token_kind::update : token_kind::start;
      token.activity = i < 3 ? "a" : "";
      ASSERT_TRUE(await<put_outcome>([&](auto done) {
                    store->register_activity_token(default_app, token, std::move(done));
                  }).ok());
    }
    auto start = request(activity_action::start);
    start.scope = {scope_kind::user, "u", {}, {}};
    start.activity->type = "ride";
    commit(start);
    plan();
    const auto works = claim(1);
    ASSERT_EQ(works.size(), 1u);
    flush({works[0], {0}, {}, now()});
    await<std::vector<job_id>>(
      [&](auto done) { store->complete({works[0]->key.job}, std::move(done)); });
  }

  new_job request(activity_action action) const {
    auto job = job_for({});
    job.scope = {scope_kind::activity, {}, {}, {}};
    job.activity = activity_request{action, "a", {}, R"({"seq":1})", {}, {}};
    return job;
  }

  job_id commit(const new_job& job) {
    const auto answer = await<std::vector<commit_result>>([&](auto done) {
      store->commit_jobs({{job, false}}, 15s, std::move(done));
    });
    EXPECT_TRUE(answer.ok() && answer.value.at(0).code == errc::ok);
    return job.id;
  }

  void plan() {
    for (bool more = true; more;) {
      const auto step =
        await<plan_result>([&](auto done) { store->plan("push", 2, std::move(done)); });
      ASSERT_TRUE(step.ok()) << step.message;
      more = step.value.more || step.value.chunks > 0;
    }
  }

  std::vector<work_ptr> claim(std::size_t chunks) {
    auto claimed = await<claim_result>([&](auto done) {
      store->claim({"push", {{{}, 100'000}}, chunks, 15s}, std::move(done));
    });
    EXPECT_TRUE(claimed.ok()) << claimed.message;
    return std::move(claimed.value.works);
  }

  void flush(outcome_batch batch) {
    ASSERT_TRUE(await<flush_result>([&](auto done) {
                  store->flush({std::move(batch)}, std::move(done));
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

  void expect_failed(const job_id& id, std::int64_t accepted, std::int64_t skipped) {
    await<sweep_result>([&](auto done) { store->sweep({"push"}, std::move(done)); });
    const auto seen = view(id);
    EXPECT_EQ(seen.status, job_status::failed);
    EXPECT_TRUE(seen.completed_at.has_value());
    EXPECT_EQ(seen.total, accepted + skipped);
    EXPECT_EQ(seen.counts.accepted, accepted);
    EXPECT_EQ(seen.counts.skipped, skipped);
    EXPECT_EQ(seen.pending(), 0);
  }

  std::unique_ptr<sqlite_store> store;
};

TEST_F(activity_order, a_dispatch_without_its_row_fails_before_anything_is_sent) {
  const auto job = commit(request(activity_action::update));
  tamper("DELETE FROM activity_dispatches WHERE seq = 2");
  plan();
  EXPECT_TRUE(claim(10).empty());
  expect_failed(job, 0, 0);
}

TEST_F(activity_order, a_dispatch_without_its_activity_fails_before_anything_is_sent) {
  const auto job = commit(request(activity_action::update));
  tamper("DELETE FROM activities");
  plan();
  EXPECT_TRUE(claim(10).empty());
  expect_failed(job, 0, 0);
}

TEST_F(activity_order, an_order_lost_after_planning_stops_before_anything_is_sent) {
  const auto job = commit(request(activity_action::update));
  plan();
  tamper("DELETE FROM activity_dispatches WHERE seq = 2");
  EXPECT_TRUE(claim(10).empty());
  expect_failed(job, 0, 3);
}

TEST_F(activity_order, an_order_lost_later_stops_the_rest_with_its_counts_right) {
  const auto job = commit(request(activity_action::update));
  plan();
  const auto first = claim(1);
  ASSERT_EQ(first.size(), 1u);
  ASSERT_EQ(first[0]->targets.size(), 2u);
  tamper("DELETE FROM activity_dispatches WHERE seq = 2");
  EXPECT_TRUE(claim(10).empty());
  flush({first[0], {0, 1}, {}, now()});
  expect_failed(job, 2, 1);
}

TEST_F(activity_order, an_order_lost_before_a_retry_drops_it) {
  const auto job = commit(request(activity_action::update));
  plan();
  const auto works = claim(10);
  for (const auto& each : works) {
    outcome_batch batch{each, {}, {}, now()};
    for (const auto& to : each->targets) {
      outcome later;
      later.token = to.id;
      later.index = to.index;
      later.status = outcome_status::retry;
      later.attempts = 1;
      later.retry_at = now() + 1s;
      batch.others.push_back(later);
    }
    flush(batch);
  }
  advance(2s);
  tamper("DELETE FROM activity_dispatches WHERE seq = 2");
  EXPECT_TRUE(claim(10).empty());
  expect_failed(job, 0, 3);
}

} // namespace
} // namespace signalbox
