#include "actors/planner.hpp"
#include "tests/support/builders.hpp"
#include "tests/support/caf_fixture.hpp"
#include "tests/support/fake_store.hpp"

namespace signalbox {
namespace {

using namespace std::chrono_literals;

class planner_stage : public caf_fixture {
protected:
  planner start_planner() {
    const auto plan =
      start<planner_actor>(std::make_shared<mailbox_stats>(), std::ref<job_store>(store),
                           planner_options{"push", 10, 500ms});
    auto peers = std::make_shared<lane_peers>();
    peers->lane = "push";
    for (int i = 0; i < 2; ++i) {
      hints.push_back(std::make_shared<inbox<work_hint, job_stopped>>());
      peers->masters.push_back(probe<master>(hints.back()));
    }
    anon_send_urgent(plan, peers_changed{std::move(peers)});
    run();
    return plan;
  }

  // A job of a topic with so many members.
  void add_job(std::uint64_t n, std::size_t targets) {
    std::vector<ledger_target> members;
    for (std::size_t i = 1; i <= targets; ++i)
      members.push_back({static_cast<token_id>(i), apns_production});
    store.ledger.add_topic("news", std::move(members));
    store.ledger.commit({topic_job(n, "news", clock.now()), false}, 15s);
  }

  void hint(const planner& plan) {
    anon_send_urgent(plan, work_hint{});
    run();
  }

  fake_store store{clock};
  std::vector<std::shared_ptr<inbox<work_hint, job_stopped>>> hints;
};

TEST_F(planner_stage, a_new_one_looks_for_what_a_former_one_left) {
  add_job(1, 100);
  start_planner();
  EXPECT_EQ(store.ledger.account_of(job_number(1)).planned, 100);
}

TEST_F(planner_stage, goes_on_while_there_is_more_and_hints_each_time) {
  start_planner();
  add_job(1, 1'500); // 150 chunks, 64 a step
  const auto before = store.calls(store_call::plan);
  anon_send_urgent(start_planner(), work_hint{});
  run();
  EXPECT_TRUE(store.ledger.account_of(job_number(1)).plan_done);
  EXPECT_GE(store.calls(store_call::plan) - before, 3u);
  EXPECT_EQ(hints[2]->all<work_hint>().size(), 3u);
  EXPECT_EQ(hints[3]->all<work_hint>().size(), 3u);
}

TEST_F(planner_stage, tells_every_master_at_once_what_a_newer_dispatch_has_superseded) {
  const auto plan = start_planner();
  store.superseded = {job_number(7)};
  hint(plan);
  for (const auto& each : hints) {
    ASSERT_EQ(each->all<job_stopped>().size(), 1u);
    EXPECT_EQ(each->all<job_stopped>()[0].job, job_number(7));
    EXPECT_EQ(each->all<job_stopped>()[0].reason, "superseded");
  }
}

TEST_F(planner_stage, one_step_at_a_time_and_no_hint_is_lost) {
  const auto plan = start_planner();
  store.hold();
  hint(plan);
  hint(plan);
  hint(plan);
  EXPECT_EQ(store.waiting(), 1u);
  add_job(1, 10); // after the step under way has begun
  store.step();
  run();
  EXPECT_EQ(store.waiting(), 1u) << "the hints that came meanwhile make one more step";
  store.step();
  run();
  EXPECT_EQ(store.waiting(), 0u);
}

TEST_F(planner_stage, tries_again_after_the_store_failed) {
  const auto plan = start_planner();
  add_job(1, 10);
  store.fail(store_call::plan);
  hint(plan);
  store.heal();
  advance(499ms);
  EXPECT_EQ(store.ledger.account_of(job_number(1)).planned, 0);
  advance(1ms);
  EXPECT_EQ(store.ledger.account_of(job_number(1)).planned, 10);
}

TEST_F(planner_stage, hints_during_an_outage_do_not_multiply_its_retries) {
  const auto plan = start_planner();
  store.fail(store_call::plan);
  const auto before = store.calls(store_call::plan);
  for (int i = 0; i < 40; ++i) {
    hint(plan);
    hint(plan);
    advance(100ms);
  }
  EXPECT_LE(store.calls(store_call::plan) - before, 9u) << "4 s, one try in 500 ms";
}

TEST_F(planner_stage, stops_with_the_step_under_way) {
  const auto plan = start_planner();
  store.hold();
  add_job(1, 1'500);
  hint(plan);
  const auto done = ask_drain(plan);
  EXPECT_FALSE(*done);
  store.let_go();
  run();
  EXPECT_TRUE(*done);
  EXPECT_EQ(store.ledger.account_of(job_number(1)).planned, 640) << "one step of 64 chunks";
  hint(plan);
  EXPECT_EQ(store.ledger.account_of(job_number(1)).planned, 640);
}

TEST_F(planner_stage, an_idle_planner_is_drained_at_once) {
  EXPECT_TRUE(*ask_drain(start_planner()));
}

} // namespace
} // namespace signalbox
