// Where the order of an activity's dispatches cannot be known, nothing is sent.

#include "adapters/store/sqlite/connection.hpp"
#include "tests/adapters/store/commit_gate.hpp"
#include "tests/adapters/store/statement_watch.hpp"
#include "tests/adapters/store/store_fixture.hpp"

#include <algorithm>
#include <numeric>

namespace signalbox {
namespace {

using namespace std::chrono_literals;

class activity_order : public store_fixture {
protected:
  void SetUp() override {
    auto held = options();
    held.fault = [gate = gate] { return gate->pass(); };
    store = std::move(sqlite_store::open(held).value);
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

  void expect_superseded(const job_id& id, std::int64_t total) {
    await<std::vector<job_id>>([&](auto done) { store->complete({id}, std::move(done)); });
    const auto seen = view(id);
    EXPECT_EQ(seen.status, job_status::superseded);
    EXPECT_EQ(seen.total, total);
    EXPECT_EQ(seen.pending(), 0);
  }

  std::int64_t count(const std::string& table) {
    sqlite::connection tool{options().path, {}};
    return *tool.value(("SELECT COUNT(*) FROM " + table).c_str());
  }

  statement_watch statements;
  std::shared_ptr<commit_gate> gate = std::make_shared<commit_gate>();
  std::unique_ptr<sqlite_store> store;
};

TEST_F(activity_order, a_dispatch_without_its_row_fails_before_anything_is_sent) {
  const auto job = commit(request(activity_action::update));
  tamper("DELETE FROM activity_dispatches WHERE seq = 2");
  plan();
  EXPECT_TRUE(claim(10).empty());
  EXPECT_TRUE(view(job).completed_at.has_value()) << "it is closed at once";
  expect_failed(job, 0, 0);
}

TEST_F(activity_order, a_dispatch_without_its_activity_fails_before_anything_is_sent) {
  const auto job = commit(request(activity_action::update));
  tamper("DELETE FROM activities");
  plan();
  EXPECT_TRUE(claim(10).empty());
  EXPECT_TRUE(view(job).completed_at.has_value()) << "it is closed at once";
  expect_failed(job, 0, 0);
}

TEST_F(activity_order, an_order_lost_after_planning_stops_before_anything_is_sent) {
  const auto job = commit(request(activity_action::update));
  plan();
  tamper("DELETE FROM activity_dispatches WHERE seq = 2");
  EXPECT_TRUE(claim(10).empty());
  expect_failed(job, 0, 3);
}

TEST_F(activity_order, an_activity_lost_after_planning_stops_before_anything_is_sent) {
  const auto job = commit(request(activity_action::update));
  plan();
  tamper("DELETE FROM activities");
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

TEST_F(activity_order, what_failed_or_was_cancelled_supersedes_nothing_before_it_is_closed_either) {
  const auto older = commit(request(activity_action::update));
  const auto newer = commit(request(activity_action::update));
  tamper(
    "UPDATE jobs SET status = 7 WHERE n = (SELECT job FROM activity_dispatches WHERE seq = 3)");
  plan();
  EXPECT_EQ(view(newer).status, job_status::cancelled);
  EXPECT_EQ(view(older).total, 3);
  EXPECT_FALSE(claim(1).empty());
}

TEST_F(activity_order, what_was_cancelled_just_before_its_turn_supersedes_nothing) {
  const auto older = commit(request(activity_action::update));
  plan();
  const auto works = claim(1);
  ASSERT_EQ(works.size(), 1u);
  flush({works[0], {0}, {}, now()});
  const auto newer = commit(request(activity_action::update));
  gate->shut();
  auto in_the_way = std::async(std::launch::async, [&] { commit(job_for("u")); });
  gate->wait_until_held();
  std::promise<errc> cancelled;
  store->cancel_job(default_app, newer, [&](auto answer) { cancelled.set_value(answer.code); });
  const auto reads = statements.reads();
  std::promise<errc> planned;
  store->plan("push", 2, [&](auto answer) { planned.set_value(answer.code); });
  statements.wait_for_reads(reads + 1); // whose turn it is
  gate->open();
  in_the_way.get();
  EXPECT_EQ(cancelled.get_future().get(), errc::ok);
  EXPECT_EQ(planned.get_future().get(), errc::ok);
  EXPECT_EQ(view(older).status, job_status::in_progress);
}

TEST_F(activity_order, where_it_cannot_be_known_what_is_in_flight_nothing_is_sent) {
  commit(request(activity_action::update));
  plan();
  const auto sent = claim(10);
  ASSERT_EQ(sent.size(), 2u);
  flush({sent[0], {0}, {}, now()});
  const auto newer = commit(request(activity_action::update));
  tamper("UPDATE chunks SET ids = x'ff' WHERE status = 2");
  plan();
  EXPECT_TRUE(claim(10).empty());
  expect_failed(newer, 0, 0);
}

TEST_F(activity_order, a_device_set_apart_waits_while_it_cannot_be_known_what_is_in_flight) {
  const auto older = commit(request(activity_action::update));
  plan();
  const auto sent = claim(10);
  ASSERT_EQ(sent.size(), 2u);
  flush({sent[0], {0, 1}, {}, now()});
  commit(request(activity_action::update));
  plan();
  advance(300ms);
  plan();
  tamper("UPDATE chunks SET ids = x'ff' WHERE status = 2");
  advance(1s);
  const auto works = claim(10);
  ASSERT_EQ(works.size(), 1u) << "the others are claimed all the same";
  EXPECT_EQ(works[0]->targets.size(), 2u);
  flush({works[0], {0, 1}, {}, now()});
  flush({sent[1], {0}, {}, now()});
  advance(1s);
  const auto last = claim(10);
  ASSERT_EQ(last.size(), 1u);
  EXPECT_EQ(last[0]->targets.size(), 1u);
  expect_superseded(older, 3);
}

TEST_F(activity_order, one_claim_looks_at_so_many_devices_set_apart_at_most) {
  commit(request(activity_action::update));
  plan();
  const auto sent = claim(10);
  ASSERT_EQ(sent.size(), 2u);
  flush({sent[0], {0, 1}, {}, now()});
  commit(request(activity_action::update));
  plan();
  advance(300ms);
  plan();
  tamper("WITH RECURSIVE many(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM many WHERE i < 1199) "
         "INSERT INTO retries(job, lane, app, pool, run_at, written_at, size, entries) "
         "SELECT job, lane, app, pool, run_at, written_at, size, entries FROM retries, many");
  advance(1s);
  const auto due = "retries WHERE run_at <= " + std::to_string(now().time_since_epoch().count());
  ASSERT_EQ(count(due), 1'200);
  EXPECT_EQ(claim(10).size(), 1u) << "what is ready is claimed all the same";
  EXPECT_EQ(count(due), 700);
  EXPECT_TRUE(claim(10).empty());
  EXPECT_EQ(count(due), 0)
    << "while there is nothing to claim it goes on, transaction by transaction";
}

// Of its pack, that is: what is known of the others counts.
TEST_F(activity_order, a_retry_in_flight_sets_its_device_apart_also_where_it_cannot_be_read) {
  commit(request(activity_action::update));
  plan();
  const auto sent = claim(10);
  ASSERT_EQ(sent.size(), 2u);
  for (std::size_t i = 0; i < sent.size(); ++i) {
    outcome_batch batch{sent[i], {}, {}, now()};
    for (const auto& target : sent[i]->targets) {
      outcome one;
      one.token = target.id;
      one.index = target.index;
      one.status = outcome_status::retry;
      one.retry_at = now() + i * 1s;
      batch.others.push_back(one);
    }
    flush(batch);
  }
  advance(1s);
  const auto again = claim(10);
  ASSERT_EQ(again.size(), 1u);
  ASSERT_EQ(again[0]->targets.size(), 3u);
  const auto answered = std::min_element(again[0]->targets.begin(), again[0]->targets.end(),
                                         [](const auto& a, const auto& b) { return a.id < b.id; });
  flush({again[0], {static_cast<std::uint32_t>(answered - again[0]->targets.begin())}, {}, now()});
  EXPECT_EQ(count("retries"), 2);
  tamper("UPDATE retries SET entries = x'ff' WHERE n = 2");
  commit(request(activity_action::update));
  plan();
  EXPECT_TRUE(claim(10).empty());
  advance(300ms);
  plan();
  const auto works = claim(10);
  ASSERT_EQ(works.size(), 1u);
  ASSERT_EQ(works[0]->targets.size(), 1u);
  EXPECT_EQ(works[0]->targets[0].id, answered->id);
}

TEST_F(activity_order, very_many_devices_set_apart_get_the_newest_once_each) {
  constexpr std::size_t devices = 300;
  for (std::size_t i = 3; i < devices; ++i) {
    activity_token_registration token;
    token.user = "u";
    token.token = "more" + std::to_string(i);
    token.kind = token_kind::update;
    token.activity = "a";
    ASSERT_TRUE(await<put_outcome>([&](auto done) {
                  store->register_activity_token(default_app, token, std::move(done));
                }).ok());
  }
  const auto update = [&] {
    const auto job = commit(request(activity_action::update));
    for (int step = 0; step < 3; ++step)
      await<plan_result>([&](auto done) { store->plan("push", 1'000, std::move(done)); });
    return job;
  };
  update();
  const auto sent = claim(10);
  ASSERT_EQ(sent.size(), 1u);
  ASSERT_EQ(sent[0]->targets.size(), devices);
  flush({sent[0], {0}, {}, now()});
  const auto newer = update();
  advance(300ms);
  await<plan_result>([&](auto done) { store->plan("push", 1'000, std::move(done)); });
  EXPECT_EQ(count("retries"), 2);
  std::vector<std::uint32_t> all(devices);
  std::iota(all.begin(), all.end(), 0);
  flush({sent[0], all, {}, now()});
  advance(1s);
  for (const auto& work : claim(10)) {
    all.resize(work->targets.size());
    flush({work, all, {}, now()});
  }
  EXPECT_EQ(view(newer).counts.accepted, static_cast<std::int64_t>(devices));
  EXPECT_EQ(count("retries"), 0);
}

TEST_F(activity_order, a_target_whose_binding_is_gone_is_skipped_at_the_send) {
  const auto job = commit(request(activity_action::update));
  plan();
  tamper("DELETE FROM activity_bindings WHERE token = (SELECT MIN(token) FROM activity_bindings)");
  const auto works = claim(10);
  ASSERT_EQ(works.size(), 2u);
  EXPECT_EQ(works[0]->targets.size() + works[1]->targets.size(), 2u);
  ASSERT_EQ(works[0]->settled.size(), 1u);
  EXPECT_EQ(works[0]->settled[0].reason, "unbound");
  EXPECT_EQ(view(job).total, 3);
}

TEST_F(activity_order, an_end_that_failed_ends_nothing) {
  const auto end = commit(request(activity_action::end));
  tamper("DELETE FROM activity_dispatches WHERE seq = 2");
  plan();
  expect_failed(end, 0, 0);
  commit(request(activity_action::update));
  plan();
  EXPECT_EQ(claim(10).size(), 2u);
}

TEST_F(activity_order, a_channel_is_forgotten_with_the_last_of_its_activities) {
  const auto start = [&](const std::string& activity, const std::string& type) {
    auto job = request(activity_action::start);
    job.scope = {scope_kind::user, "u", {}, {}};
    job.activity->activity = activity;
    job.activity->type = type;
    job.activity->channel = "channel";
    commit(job);
  };
  const std::string channels = "tokens WHERE kind = 3";
  start("first", "match");
  advance(1h);
  start("second", "race");
  EXPECT_EQ(count(channels), 1);
  advance(7h + 1s);
  await<sweep_result>([&](auto done) { store->sweep({"push"}, std::move(done)); });
  EXPECT_EQ(count(channels), 1) << "the second one goes on";
  advance(1h);
  await<sweep_result>([&](auto done) { store->sweep({"push"}, std::move(done)); });
  EXPECT_EQ(count(channels), 0);
}

TEST_F(activity_order, an_activity_that_is_forgotten_leaves_no_rows) {
  commit(request(activity_action::update));
  plan();
  const auto sent = claim(1);
  ASSERT_EQ(sent.size(), 1u);
  flush({sent[0], {0}, {}, now()});
  commit(request(activity_action::end));
  plan();
  outcome cut;
  cut.token = sent[0]->targets.at(1).id;
  cut.index = sent[0]->targets[1].index;
  cut.status = outcome_status::skipped;
  cut.reason = "superseded";
  flush({sent[0], {}, {cut}, now()});
  plan();
  EXPECT_EQ(count("activity_turns"), 1);
  std::vector<job_id> ended;
  for (const auto& each : claim(10)) {
    std::vector<std::uint32_t> all(each->targets.size());
    std::iota(all.begin(), all.end(), 0u);
    flush({each, all, {}, now()});
    ended.push_back(each->key.job);
  }
  await<std::vector<job_id>>([&](auto done) { store->complete(ended, std::move(done)); });
  for (int i = 0; i < 6; ++i) {
    advance(24h * 8);
    await<sweep_result>([&](auto done) { store->sweep({"push"}, std::move(done)); });
  }
  for (const auto* table :
       {"activities", "activity_dispatches", "activity_turns", "activity_bindings"})
    EXPECT_EQ(count(table), 0) << table;
}

} // namespace
} // namespace signalbox
