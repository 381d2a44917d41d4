#include "actors/sweeper.hpp"
#include "tests/support/builders.hpp"
#include "tests/support/caf_fixture.hpp"
#include "tests/support/fake_store.hpp"

namespace signalbox {
namespace {

using namespace std::chrono_literals;

class sweeper_stage : public caf_fixture {
protected:
  sweeper_stage() { store.ledger.add_topic("news", {{1, apns_production}, {2, apns_production}}); }

  sweeper start_sweeper() { return start_sweeper(store); }

  sweeper start_sweeper(job_store& of) {
    const auto sweep = start<sweeper_actor>(std::make_shared<mailbox_stats>(), std::ref(of),
                                            std::cref<wall_clock>(clock), std::ref(board),
                                            sweeper_options{.lane = "push"});
    auto peers = std::make_shared<lane_peers>();
    peers->lane = "push";
    peers->plan = probe<planner>(plan_box);
    for (auto& box : master_boxes)
      peers->masters.push_back(probe<master>(box));
    anon_send_urgent(sweep, peers_changed{std::move(peers)});
    run();
    return sweep;
  }

  void add_job(std::uint64_t n, std::optional<timestamp> not_before = {}) {
    auto job = topic_job(n, "news", clock.now());
    job.not_before = not_before;
    store.ledger.commit({std::move(job), false}, 15s);
  }

  fake_store store{clock};
  lane_board board;
  std::shared_ptr<inbox<work_hint>> plan_box = std::make_shared<inbox<work_hint>>();
  std::vector<std::shared_ptr<inbox<work_hint>>> master_boxes{std::make_shared<inbox<work_hint>>(),
                                                              std::make_shared<inbox<work_hint>>()};
};

TEST_F(sweeper_stage, sweeps_when_it_starts_and_at_every_interval) {
  start_sweeper();
  EXPECT_EQ(store.calls(store_call::sweep), 1u);
  advance(499ms);
  EXPECT_EQ(store.calls(store_call::sweep), 1u);
  advance(1ms);
  EXPECT_EQ(store.calls(store_call::sweep), 2u);
  for (int i = 0; i < 10; ++i)
    advance(500ms);
  EXPECT_EQ(store.calls(store_call::sweep), 12u);
}

TEST_F(sweeper_stage, hints_at_what_it_finds) {
  start_sweeper();
  EXPECT_TRUE(plan_box->all<work_hint>().empty());
  add_job(1);
  advance(500ms);
  EXPECT_EQ(plan_box->all<work_hint>().size(), 1u);
  EXPECT_TRUE(master_boxes[0]->all<work_hint>().empty()) << "nothing is planned yet";
  store.ledger.plan("push", 10);
  advance(500ms);
  EXPECT_EQ(plan_box->all<work_hint>().size(), 1u);
  for (const auto& box : master_boxes)
    EXPECT_EQ(box->all<work_hint>().size(), 1u);
}

TEST_F(sweeper_stage, releases_what_is_due) {
  start_sweeper();
  add_job(1, clock.now() + 1s);
  advance(500ms);
  EXPECT_EQ(store.ledger.account_of(job_number(1)).status, job_status::scheduled);
  advance(500ms);
  EXPECT_EQ(store.ledger.account_of(job_number(1)).status, job_status::queued);
  EXPECT_EQ(plan_box->all<work_hint>().size(), 1u);
}

TEST_F(sweeper_stage, closes_a_large_job_that_was_cancelled_pass_by_pass) {
  std::vector<ledger_target> members;
  for (token_id id = 1; id <= 10'000; ++id)
    members.push_back({id, apns_production});
  store.ledger.add_topic("news", std::move(members));
  add_job(1);
  store.ledger.plan("push", 500);
  start_sweeper();
  store.ledger.cancel(job_number(1));
  advance(500ms);
  EXPECT_EQ(store.ledger.account_of(job_number(1)).counts.skipped, 10'000);
  EXPECT_EQ(store.calls(store_call::sweep), 1u + 11u) << "1,000 targets a pass";
}

// Whatever is left, it is for others to move.
class store_that_gets_nowhere : public fake_store {
public:
  using fake_store::fake_store;
  void sweep(sweep_request, callback<sweep_result> done) override {
    ++passes;
    sweep_result nothing;
    nothing.more = true;
    done(result<sweep_result>::success(nothing));
  }
  std::size_t passes = 0;
};

TEST_F(sweeper_stage, a_pass_that_gets_nowhere_waits_for_its_tick) {
  store_that_gets_nowhere stuck{clock};
  start_sweeper(stuck);
  EXPECT_EQ(stuck.passes, 1u);
  advance(500ms);
  EXPECT_EQ(stuck.passes, 2u);
}

TEST_F(sweeper_stage, one_pass_at_a_time) {
  start_sweeper();
  store.hold();
  for (int i = 0; i < 5; ++i)
    advance(500ms);
  EXPECT_EQ(store.waiting(), 1u);
}

TEST_F(sweeper_stage, goes_on_after_the_store_failed) {
  start_sweeper();
  store.fail(store_call::sweep);
  advance(500ms);
  store.heal();
  add_job(1);
  advance(500ms);
  EXPECT_EQ(plan_box->all<work_hint>().size(), 1u);
}

TEST_F(sweeper_stage, stops_with_the_pass_under_way) {
  const auto sweep = start_sweeper();
  store.hold();
  advance(500ms);
  const auto done = ask_drain(sweep);
  EXPECT_FALSE(*done);
  store.let_go();
  run();
  EXPECT_TRUE(*done);
  const auto calls = store.calls(store_call::sweep);
  advance(500ms);
  EXPECT_EQ(store.calls(store_call::sweep), calls);
}

TEST_F(sweeper_stage, passes_on_how_long_jobs_are_kept) {
  start_sweeper();
  ASSERT_EQ(store.sweeps.size(), 1u);
  EXPECT_EQ(store.sweeps[0].lane, "push");
  EXPECT_EQ(store.sweeps[0].keep_jobs, 7 * 24h);
  EXPECT_EQ(store.sweeps[0].keep_failures, 30 * 24h);
}

TEST_F(sweeper_stage, asks_a_store_that_does_not_answer_only_once) {
  store.hold();
  start_sweeper();
  for (int i = 0; i < 60; ++i)
    advance(500ms);
  EXPECT_EQ(store.calls(store_call::sweep), 1u);
  EXPECT_EQ(store.calls(store_call::measure), 1u);
  store.let_go();
  run();
  advance(500ms);
  EXPECT_EQ(store.calls(store_call::sweep), 2u);
}

TEST_F(sweeper_stage, measures_the_backlog_now_and_then) {
  add_job(1);
  store.ledger.plan("push", 1);
  start_sweeper();
  ASSERT_TRUE(board.list().at(0).waiting);
  EXPECT_EQ(board.list()[0].waiting->ready_chunks, 2);
  EXPECT_EQ(board.list()[0].measured_at, clock.now());
  for (int i = 0; i < 20; ++i)
    advance(500ms);
  EXPECT_EQ(store.calls(store_call::measure), 3u);
  store.fail(store_call::measure);
  for (int i = 0; i < 10; ++i)
    advance(500ms);
  EXPECT_FALSE(board.list()[0].waiting) << "an outage is a gap";
}

TEST_F(sweeper_stage, a_measurement_that_hangs_is_a_gap_too) {
  start_sweeper();
  ASSERT_TRUE(board.list().at(0).waiting);
  store.hold(store_call::measure);
  for (int i = 0; i < 31; ++i)
    advance(500ms);
  EXPECT_FALSE(board.list()[0].waiting);
}

} // namespace
} // namespace signalbox
