#include "actors/committer.hpp"
#include "tests/support/builders.hpp"
#include "tests/support/caf_fixture.hpp"
#include "tests/support/fake_reply.hpp"
#include "tests/support/fake_store.hpp"

#include <algorithm>
#include <map>

namespace signalbox {
namespace {

class committer_stage : public caf_fixture {
protected:
  using door_inbox = inbox<jobs_taken>;
  using planner_inbox = inbox<work_hint>;
  using master_inbox = inbox<direct_works, work_hint>;

  struct lane {
    std::shared_ptr<door_inbox> door = std::make_shared<door_inbox>();
    std::shared_ptr<planner_inbox> plan = std::make_shared<planner_inbox>();
    std::vector<std::shared_ptr<master_inbox>> masters;
    std::shared_ptr<lane_peers> peers = std::make_shared<lane_peers>();

    std::vector<work_ptr> taken_works() {
      std::vector<work_ptr> all;
      for (const auto& box : masters)
        for (auto& message : box->take<direct_works>())
          all.insert(all.end(), message.works.begin(), message.works.end());
      return all;
    }
    std::size_t hints() const {
      std::size_t sum = 0;
      for (const auto& box : masters)
        sum += box->all<work_hint>().size();
      return sum;
    }
  };

  committer_stage() { store.ledger.add_topic("news", {{1, apns_production}}); }

  committer start_committer(committer_options options = {}) {
    return start<committer_actor>(std::make_shared<mailbox_stats>(), std::ref<job_store>(store),
                                  options);
  }

  lane& join(const committer& group, const std::string& name, std::size_t masters = 1) {
    auto& joined = lanes[name];
    joined.peers->lane = name;
    joined.peers->door = probe<ingest>(joined.door);
    joined.peers->plan = probe<planner>(joined.plan);
    for (std::size_t i = 0; i < masters; ++i) {
      joined.masters.push_back(std::make_shared<master_inbox>());
      joined.peers->masters.push_back(probe<master>(joined.masters.back()));
    }
    anon_send_urgent(group, peers_changed{joined.peers});
    run();
    return joined;
  }

  void submit(const committer& group, std::vector<new_job> jobs) {
    submit_jobs batch;
    batch.lane = jobs.front().lane;
    for (auto& each : jobs)
      batch.jobs.push_back(accepted_job(std::move(each), replies));
    anon_send_urgent(group, std::move(batch));
    run();
  }

  std::vector<new_job> jobs(std::uint64_t first, std::uint64_t count,
                            const std::string& lane = "push") {
    std::vector<new_job> made;
    for (auto n = first; n < first + count; ++n)
      made.push_back(topic_job(n, "news", clock.now(), lane));
    return made;
  }

  fake_store store{clock};
  std::map<std::string, lane> lanes;
  std::shared_ptr<reply_log> replies = std::make_shared<reply_log>();
};

TEST_F(committer_stage, commits_at_once_when_the_writer_is_idle) {
  const auto group = start_committer();
  auto& push = join(group, "push");
  submit(group, jobs(1, 1));
  EXPECT_EQ(store.groups.size(), 1u);
  EXPECT_TRUE(replies->was_accepted(job_number(1)));
  EXPECT_EQ(push.door->all<jobs_taken>().size(), 1u);
  EXPECT_EQ(push.plan->all<work_hint>().size(), 1u);
  EXPECT_EQ(push.hints(), 1u);
}

TEST_F(committer_stage, credit_for_jobs_that_came_before_the_lane_was_known_is_not_lost) {
  const auto group = start_committer();
  submit(group, jobs(1, 3));
  EXPECT_TRUE(replies->was_accepted(job_number(3)));
  auto& push = join(group, "push");
  ASSERT_EQ(push.door->all<jobs_taken>().size(), 1u);
  EXPECT_EQ(push.door->all<jobs_taken>()[0].count, 3u);
}

TEST_F(committer_stage, answers_only_after_the_commit) {
  const auto group = start_committer();
  join(group, "push");
  store.hold();
  submit(group, jobs(1, 1));
  EXPECT_EQ(replies->answered(), 0u);
  store.step();
  run();
  EXPECT_TRUE(replies->was_accepted(job_number(1)));
}

TEST_F(committer_stage, groups_what_arrives_meanwhile) {
  const auto group = start_committer();
  auto& push = join(group, "push");
  store.hold();
  submit(group, jobs(1, 1));
  for (std::uint64_t n = 0; n < 6; ++n)
    submit(group, jobs(2 + n * 50, 50));
  EXPECT_EQ(store.groups.size(), 1u) << "one transaction at a time";
  store.step();
  run();
  ASSERT_EQ(store.groups.size(), 2u);
  EXPECT_EQ(store.groups[1].size(), 256u);
  store.step();
  run();
  ASSERT_EQ(store.groups.size(), 3u);
  EXPECT_EQ(store.groups[2].size(), 44u);
  store.let_go();
  run();
  EXPECT_EQ(replies->answered(), 301u);
  std::size_t taken = 0;
  for (const auto& message : push.door->all<jobs_taken>())
    taken += message.count;
  EXPECT_EQ(taken, 301u);
}

TEST_F(committer_stage, takes_from_the_lanes_in_turn) {
  committer_options options;
  options.group_size = 6;
  const auto group = start_committer(options);
  for (const auto* name : {"bulk", "login", "push"})
    join(group, name);
  store.hold();
  submit(group, jobs(1, 1, "push"));
  submit(group, jobs(100, 50, "bulk"));
  submit(group, jobs(200, 1, "login"));
  submit(group, jobs(300, 50, "push"));
  store.step();
  run();
  ASSERT_EQ(store.groups.size(), 2u);
  std::map<std::string, int> by_lane;
  for (const auto& each : store.groups[1])
    ++by_lane[each.job.lane];
  EXPECT_EQ(by_lane["login"], 1);
  EXPECT_GE(by_lane["push"], 2);
  EXPECT_GE(by_lane["bulk"], 2);
  EXPECT_EQ(store.groups[1].size(), 6u) << "what one lane leaves, others use";
  const auto last = store.groups[1].back().job.lane;
  store.step();
  run();
  ASSERT_EQ(store.groups.size(), 3u);
  EXPECT_NE(store.groups[2].front().job.lane, last) << "the turn goes on behind the last one";
}

TEST_F(committer_stage, a_failed_commit_answers_all_of_its_group) {
  const auto group = start_committer();
  auto& push = join(group, "push");
  store.fail(store_call::commit, errc::disk_full);
  submit(group, jobs(1, 3));
  for (std::uint64_t n = 1; n <= 3; ++n)
    EXPECT_EQ(replies->refusal(job_number(n)), errc::disk_full);
  EXPECT_EQ(push.hints(), 0u);
  store.heal();
  submit(group, jobs(4, 1));
  EXPECT_TRUE(replies->was_accepted(job_number(4)));
}

TEST_F(committer_stage, one_bad_job_does_not_hurt_the_others) {
  const auto group = start_committer();
  join(group, "push");
  auto batch = jobs(1, 3);
  batch[1].scope.name = "nowhere";
  submit(group, std::move(batch));
  EXPECT_TRUE(replies->was_accepted(job_number(1)));
  EXPECT_EQ(replies->refusal(job_number(2)), errc::not_found);
  EXPECT_TRUE(replies->was_accepted(job_number(3)));
}

TEST_F(committer_stage, a_scheduled_job_hints_at_nothing) {
  const auto group = start_committer();
  auto& push = join(group, "push");
  auto batch = jobs(1, 1);
  batch[0].not_before = clock.now() + std::chrono::hours{1};
  submit(group, std::move(batch));
  EXPECT_EQ(replies->by_job[job_number(1)].accepted, job_status::scheduled);
  EXPECT_EQ(push.hints(), 0u);
}

TEST_F(committer_stage, direct_works_go_to_the_masters_in_turn) {
  const auto group = start_committer();
  auto& push = join(group, "push", 2);
  for (std::uint64_t n = 1; n <= 4; ++n)
    submit(group, {token_job(n, 1, clock.now())});
  EXPECT_EQ(push.masters[0]->all<direct_works>().size(), 2u);
  EXPECT_EQ(push.masters[1]->all<direct_works>().size(), 2u);
  EXPECT_EQ(push.hints(), 0u) << "nothing is left to claim";
}

TEST_F(committer_stage, direct_works_stay_within_the_allowance) {
  committer_options options;
  options.direct_works = 3;
  const auto group = start_committer(options);
  auto& push = join(group, "push");
  std::vector<new_job> batch;
  for (std::uint64_t n = 1; n <= 5; ++n)
    batch.push_back(token_job(n, 1, clock.now()));
  submit(group, std::move(batch));
  auto works = push.taken_works();
  EXPECT_EQ(works.size(), 3u);
  EXPECT_EQ(push.hints(), 1u) << "the rest is the planner's and the masters'";
  submit(group, {token_job(6, 1, clock.now())});
  EXPECT_TRUE(push.taken_works().empty());
  works.resize(1); // two are finished, and nobody holds them any more
  store.groups.clear();
  batch.clear();
  for (std::uint64_t n = 7; n <= 9; ++n)
    batch.push_back(token_job(n, 1, clock.now()));
  submit(group, std::move(batch));
  EXPECT_EQ(push.taken_works().size(), 2u);
}

TEST_F(committer_stage, direct_works_lost_in_a_crash_give_their_allowance_back) {
  committer_options options;
  options.direct_works = 2;
  const auto group = start_committer(options);
  auto& push = join(group, "push");
  for (int crashes = 0; crashes < 3; ++crashes) {
    submit(group, {token_job(10 + static_cast<std::uint64_t>(crashes) * 2, 1, clock.now()),
                   token_job(11 + static_cast<std::uint64_t>(crashes) * 2, 1, clock.now())});
    EXPECT_EQ(push.taken_works().size(), 2u) << "and then the master that held them died";
  }
}

TEST_F(committer_stage, nothing_is_taken_while_every_master_is_down) {
  const auto group = start_committer();
  auto& push = join(group, "push");
  auto without = std::make_shared<lane_peers>(*push.peers);
  without->masters[0] = nullptr;
  anon_send_urgent(group, peers_changed{without});
  submit(group, {token_job(1, 1, clock.now())});
  EXPECT_TRUE(replies->was_accepted(job_number(1)));
  EXPECT_FALSE(store.groups[0][0].take) << "nobody would renew its lease";
}

TEST_F(committer_stage, a_drain_waits_for_what_was_passed_on) {
  const auto group = start_committer();
  join(group, "push");
  store.hold();
  submit(group, jobs(1, 1));
  submit(group, jobs(2, 1));
  const auto done = ask_drain(group);
  EXPECT_FALSE(*done);
  store.step();
  run();
  EXPECT_FALSE(*done);
  store.step();
  run();
  EXPECT_TRUE(*done);
  EXPECT_TRUE(replies->was_accepted(job_number(2)));
}

TEST_F(committer_stage, an_idle_committer_is_drained_at_once) {
  const auto group = start_committer();
  EXPECT_TRUE(*ask_drain(group));
}

TEST_F(committer_stage, a_crash_answers_what_it_held) {
  const auto group = start_committer();
  join(group, "push");
  store.hold();
  submit(group, jobs(1, 1));
  submit(group, jobs(2, 1));
  crash(group);
  run();
  EXPECT_EQ(replies->refusal(job_number(1)), errc::unavailable);
  EXPECT_EQ(replies->refusal(job_number(2)), errc::unavailable);
}

TEST_F(committer_stage, a_store_that_throws_crashes_it_and_answers_the_group) {
  const auto group = start_committer();
  join(group, "push");
  store.throw_next(store_call::commit);
  submit(group, jobs(1, 2));
  EXPECT_FALSE(is_alive(group));
  EXPECT_EQ(replies->refusal(job_number(1)), errc::unavailable);
  EXPECT_EQ(replies->refusal(job_number(2)), errc::unavailable);
}

} // namespace
} // namespace signalbox
