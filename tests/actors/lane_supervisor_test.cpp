#include "actors/lane_supervisor.hpp"
#include "tests/support/lane_world.hpp"

#include <algorithm>

namespace signalbox {
namespace {

using namespace std::chrono_literals;

class lane : public lane_world {
protected:
  void start_lane(lane_options options) {
    under_test =
      start<lane_supervisor_actor>(ports(), std::move(options), probe<node_supervisor>(parent));
    anon_send_urgent(under_test, shared_changed{probe<committer>(commits), {}});
    run();
  }

  std::shared_ptr<const lane_peers> peers() { return door.peers("push"); }

  std::uint64_t restarts(const std::string& stage) {
    std::uint64_t sum = 0;
    for (const auto& each : directory.list())
      if (each.place.stage == stage)
        sum += each.restarts;
    return sum;
  }

  void expect_whole_account(const job_id& job, std::int64_t targets) {
    const auto account = store.ledger.account_of(job);
    EXPECT_EQ(account.status, job_status::completed);
    EXPECT_EQ(account.planned, targets);
    EXPECT_EQ(account.counts.finished(), targets);
  }

  lane_supervisor under_test;
  std::shared_ptr<inbox<peers_changed>> parent = std::make_shared<inbox<peers_changed>>();
  std::shared_ptr<inbox<submit_jobs>> commits = std::make_shared<inbox<submit_jobs>>();
};

TEST_F(lane, starts_its_stages_and_tells_who_they_are) {
  auto options = small_lane("push");
  options.ingest_mailbox = 7;
  options.mailbox = 9;
  start_lane(std::move(options));
  std::vector<std::string> stages;
  for (const auto& each : directory.list()) {
    EXPECT_EQ(each.place.lane, "push");
    EXPECT_EQ(each.mailbox->capacity, each.place.stage == "ingest" ? 7 : 9);
    stages.push_back(each.place.stage + std::to_string(each.place.instance));
  }
  EXPECT_EQ(stages,
            (std::vector<std::string>{"batcher0", "credit0", "ingest0", "master0", "master1",
                                      "planner0", "sender0", "sender1", "sweeper0"}));
  ASSERT_TRUE(peers());
  EXPECT_EQ(parent->all<peers_changed>().back().peers, peers());
  EXPECT_TRUE(peers()->group);
  EXPECT_EQ(peers()->senders.size(), 2u);
  EXPECT_EQ(peers()->sender_platforms, (std::vector{platform::apns, platform::apns}));
}

TEST_F(lane, carries_a_job_to_its_end) {
  add_topic("news", 200);
  const auto job = add_job(1, "news");
  start_lane(small_lane("push"));
  finish(job);
  expect_whole_account(job, 200);
  EXPECT_EQ(store.ledger.account_of(job).counts.accepted, 200);
  EXPECT_EQ(accepts.size(), 200u);
  EXPECT_EQ(duplicates(), 0u);
}

TEST_F(lane, passes_jobs_through_its_door) {
  start_lane(small_lane("push"));
  auto replies = std::make_shared<reply_log>();
  door.submit(accepted_job(topic_job(1, "news", clock.now()), replies));
  door.pass_on();
  run();
  ASSERT_EQ(commits->all<submit_jobs>().size(), 1u);
  EXPECT_EQ(commits->all<submit_jobs>()[0].lane, "push");
}

// Issue 2: a stage actor that throws.
class a_stage_that_throws : public lane, public ::testing::WithParamInterface<std::string> {
protected:
  void break_stage() {
    const auto& stage = GetParam();
    if (stage == "planner")
      store.throw_next(store_call::plan);
    else if (stage == "master")
      store.throw_next(store_call::claim);
    else if (stage == "batcher")
      store.throw_next(store_call::flush);
    else if (stage == "sweeper")
      store.throw_next(store_call::sweep);
    else if (stage == "sender")
      transports.back()->throw_next_submit();
    else if (stage == "ingest")
      crash(peers()->door);
    else
      crash(peers()->room);
  }
};

TEST_P(a_stage_that_throws, is_restarted_and_its_work_is_not_lost) {
  add_topic("news", 6'000);
  add_topic("little", 1);
  const auto job = add_job(1, "news");
  start_lane(small_lane("push"));
  for (int i = 0; i < 3; ++i) {
    break_stage();
    const auto before = restarts(GetParam());
    for (int step = 0; step < 50 && restarts(GetParam()) == before; ++step) {
      answer_all();
      advance(20ms);
      if (GetParam() == "planner") // has long planned all there is
        add_job(10 + static_cast<std::uint64_t>(i * 50 + step), "little");
    }
    EXPECT_EQ(restarts(GetParam()), before + 1);
  }
  finish(job);
  expect_whole_account(job, 6'000);
  EXPECT_LE(duplicates(), dead_transports() * 2 * 20) << "windows of 20 for two destinations";
  EXPECT_EQ(store.ledger.expired(), 0u) << "nothing had to wait for its lease to run out";
}

INSTANTIATE_TEST_SUITE_P(lane, a_stage_that_throws,
                         ::testing::Values("ingest", "planner", "credit", "batcher", "sweeper",
                                           "master", "sender"),
                         [](const auto& info) { return info.param; });

TEST_F(lane, waits_longer_after_each_crash) {
  start_lane(small_lane("push"));
  crash(peers()->plan);
  run();
  EXPECT_EQ(peers()->plan, nullptr);
  advance(99ms);
  EXPECT_EQ(restarts("planner"), 0u);
  advance(1ms);
  EXPECT_EQ(restarts("planner"), 1u);
  EXPECT_NE(peers()->plan, nullptr);
  crash(peers()->plan);
  run();
  advance(199ms);
  EXPECT_EQ(restarts("planner"), 1u);
  advance(1ms);
  EXPECT_EQ(restarts("planner"), 2u);
}

TEST_F(lane, gives_up_on_what_keeps_crashing_and_takes_all_with_it) {
  auto options = small_lane("push");
  options.restarts.max_restarts = 2;
  start_lane(std::move(options));
  const auto last_peers = [&] { return peers(); };
  for (int i = 0; i < 2; ++i) {
    crash(last_peers()->plan);
    run();
    advance(1s);
    EXPECT_TRUE(is_alive(under_test));
  }
  const auto stages = last_peers();
  crash(stages->plan);
  run();
  EXPECT_FALSE(is_alive(under_test));
  EXPECT_FALSE(is_alive(stages->door));
  EXPECT_FALSE(is_alive(stages->masters[1]));
  EXPECT_FALSE(is_alive(stages->senders[1]));
  EXPECT_FALSE(is_alive(stages->outcomes));
  EXPECT_EQ(dead_transports(), 2u);
}

// Issue 2: a sender that dies with work in flight.
TEST_F(lane, what_a_dying_sender_had_in_flight_is_sent_by_another) {
  add_topic("news", 300);
  const auto job = add_job(1, "news");
  start_lane(small_lane("push"));
  ASSERT_FALSE(transports[0]->open.empty());
  const auto first = transports[0];
  const auto under_way = first->open.size();
  first->answer_all(counting()); // the provider has them, the sender dies before it hears
  crash(peers()->senders[0]);
  run();
  EXPECT_TRUE(first->stopped);
  finish(job);
  expect_whole_account(job, 300);
  EXPECT_LE(duplicates(), under_way);
  EXPECT_EQ(store.ledger.expired(), 0u);
  EXPECT_EQ(transports.size(), 3u);
}

// Issue 2: a mailbox of size 1 everywhere.
TEST_F(lane, works_with_a_mailbox_of_one_everywhere) {
  add_topic("news", 300);
  const auto job = add_job(1, "news");
  auto options = small_lane("push");
  options.mailbox = 1;
  options.ingest_mailbox = 1;
  start_lane(std::move(options));
  finish(job);
  expect_whole_account(job, 300);
  EXPECT_EQ(duplicates(), 0u);
}

// Issue 2: a store that fails for 5 s during flushes.
TEST_F(lane, an_outage_of_the_store_costs_time_and_nothing_else) {
  add_topic("news", 600);
  const auto job = add_job(1, "news");
  start_lane(small_lane("push"));
  answer_all();
  advance(20ms);
  store.fail_all(errc::disk_full);
  for (int i = 0; i < 250; ++i) {
    answer_all();
    advance(20ms);
  }
  std::size_t sent = 0;
  for (const auto& each : transports)
    for (const auto& one : each->submissions)
      sent += one.count;
  EXPECT_LE(sent, 4u * 20 + 4u * 20) << "no more than the windows while nothing can be written";
  store.heal();
  finish(job);
  expect_whole_account(job, 600);
  EXPECT_EQ(duplicates(), 0u);
}

TEST_F(lane, drains_from_upstream) {
  add_topic("news", 300);
  const auto job = add_job(1, "news");
  auto options = small_lane("push");
  options.flush_interval = 1h; // only a window that presses, or a drain, makes it flush
  start_lane(std::move(options));
  store.hold(store_call::plan);
  store.hold(store_call::claim);
  anon_send_urgent(peers()->plan, work_hint{});
  run();
  const auto done = ask_drain(under_test);
  EXPECT_EQ(dead_transports(), 0u) << "the planner has a step under way";
  for (const auto& each : peers()->masters)
    anon_send_urgent(each, work_hint{});
  transports[0]->answer_all(counting());
  run();
  ASSERT_EQ(store.waiting(), 1u + 2u) << "meanwhile both masters go on";
  store.step();
  run();
  EXPECT_EQ(dead_transports(), 0u) << "a master has a claim under way";
  store.let_go();
  run();
  EXPECT_EQ(dead_transports(), 2u) << "the senders' turn: their connections close";
  EXPECT_FALSE(*done) << "requests are under way";
  const auto flushes = store.calls(store_call::flush);
  transports[1]->answer_next(1, counting());
  run();
  EXPECT_EQ(store.calls(store_call::flush), flushes) << "the batcher's turn comes last";
  answer_all();
  EXPECT_TRUE(*done);
  const auto account = store.ledger.account_of(job);
  EXPECT_EQ(account.counts.accepted, static_cast<std::int64_t>(accepts.size()))
    << "every answer is in the store";
  EXPECT_LT(account.counts.accepted, 300);
}

TEST_F(lane, nothing_is_restarted_in_a_drain) {
  start_lane(small_lane("push"));
  crash(peers()->plan);
  run();
  ask_drain(under_test, drain_door{});
  advance(10s);
  EXPECT_EQ(restarts("planner"), 0u);
  EXPECT_EQ(peers()->plan, nullptr);
}

TEST_F(lane, drains_its_door_first) {
  start_lane(small_lane("push"));
  auto replies = std::make_shared<reply_log>();
  EXPECT_TRUE(*ask_drain(under_test, drain_door{}));
  door.submit(accepted_job(topic_job(1, "news", clock.now()), replies));
  door.pass_on();
  run();
  EXPECT_EQ(replies->refusal(job_number(1)), errc::unavailable);
  EXPECT_EQ(dead_transports(), 0u) << "the other stages go on";
}

} // namespace
} // namespace signalbox
