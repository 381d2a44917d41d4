#include "actors/job_door.hpp"
#include "tests/support/builders.hpp"
#include "tests/support/caf_fixture.hpp"
#include "tests/support/fake_reply.hpp"

namespace signalbox {
namespace {

class job_door_use : public caf_fixture {
protected:
  std::shared_ptr<lane_peers> lane(const std::string& name) {
    auto peers = std::make_shared<lane_peers>();
    peers->lane = name;
    peers->door = probe<ingest>(doors);
    peers->masters = {probe<master>(masters), master{}}; // one waits to be restarted
    return peers;
  }

  void submit(std::uint64_t job, const std::string& lane) {
    door.submit(accepted_job(topic_job(job, "news", clock.now(), lane), replies));
    door.pass_on();
    run();
  }

  job_door door;
  std::shared_ptr<inbox<accept_jobs>> doors = std::make_shared<inbox<accept_jobs>>();
  std::shared_ptr<inbox<job_stopped>> masters = std::make_shared<inbox<job_stopped>>();
  std::shared_ptr<reply_log> replies = std::make_shared<reply_log>();
};

TEST_F(job_door_use, knows_its_lanes) {
  EXPECT_FALSE(door.knows("push"));
  door.update(lane("push"));
  door.update(lane("bulk"));
  EXPECT_TRUE(door.knows("push"));
  EXPECT_FALSE(door.knows("pus"));
  EXPECT_EQ(door.lanes(), (std::vector<std::string>{"bulk", "push"}));
  EXPECT_EQ(door.peers("push")->lane, "push");
  EXPECT_EQ(door.peers("nowhere"), nullptr);
}

TEST_F(job_door_use, hands_a_job_to_the_ingest_of_its_lane) {
  door.update(lane("push"));
  submit(1, "push");
  ASSERT_EQ(doors->all<accept_jobs>().size(), 1u);
  EXPECT_EQ(doors->all<accept_jobs>()[0].jobs.at(0).job.id, job_number(1));
  EXPECT_EQ(replies->answered(), 0u);
}

TEST_F(job_door_use, lets_go_of_the_reply_when_nobody_can_take_the_job) {
  auto without = lane("push");
  without->door = nullptr;
  door.update(without);
  submit(1, "push");
  EXPECT_EQ(replies->refusal(job_number(1)), errc::unavailable) << "ingest is being restarted";
  submit(2, "nowhere");
  EXPECT_EQ(replies->refusal(job_number(2)), errc::unavailable);
}

TEST_F(job_door_use, takes_nothing_once_closed) {
  door.update(lane("push"));
  EXPECT_FALSE(door.closed());
  door.close();
  EXPECT_TRUE(door.closed());
  submit(1, "push");
  EXPECT_EQ(replies->refusal(job_number(1)), errc::unavailable);
  door.clear();
  EXPECT_FALSE(door.knows("push"));
}

TEST_F(job_door_use, tells_the_masters_of_every_lane_that_a_job_ended) {
  door.update(lane("push"));
  door.update(lane("bulk"));
  door.stop_job(job_number(7), "cancelled");
  run();
  ASSERT_EQ(masters->all<job_stopped>().size(), 2u);
  EXPECT_EQ(masters->all<job_stopped>()[0].job, job_number(7));
  EXPECT_EQ(masters->all<job_stopped>()[1].reason, "cancelled");
}

TEST_F(job_door_use, a_word_to_probe_reaches_every_lanes_credit) {
  const auto credits = std::make_shared<inbox<probe_now>>();
  for (const auto* name : {"push", "bulk"}) {
    auto peers = lane(name);
    peers->room = probe<credit>(credits);
    door.update(peers);
  }
  door.update(lane("starting"));
  door.probe_now(destination{});
  run();
  ASSERT_EQ(credits->all<probe_now>().size(), 2u);
  EXPECT_EQ(credits->all<probe_now>()[0].dest, destination{});
}

TEST_F(job_door_use, a_reset_reaches_the_lanes_it_is_for) {
  const auto credits = std::make_shared<inbox<reset_breakers>>();
  const auto batchers = std::make_shared<inbox<reset_breakers>>();
  for (const auto* name : {"push", "bulk"}) {
    auto peers = lane(name);
    peers->room = probe<credit>(credits);
    peers->outcomes = probe<outcome_batcher>(batchers);
    door.update(peers);
  }
  door.reset_breakers("push", destination{}, breaker_kind::outage);
  run();
  ASSERT_EQ(credits->all<reset_breakers>().size(), 1u);
  EXPECT_EQ(credits->all<reset_breakers>()[0].kind, breaker_kind::outage);
  EXPECT_EQ(credits->all<reset_breakers>()[0].dest, destination{});
  EXPECT_EQ(batchers->all<reset_breakers>().size(), 1u);
  door.reset_breakers("", std::nullopt, std::nullopt);
  run();
  EXPECT_EQ(credits->all<reset_breakers>().size(), 3u);
  EXPECT_EQ(batchers->all<reset_breakers>().size(), 3u);
  door.update(lane("push")); // its actors are being restarted
  door.reset_breakers("push", std::nullopt, std::nullopt);
  run();
  EXPECT_EQ(credits->all<reset_breakers>().size(), 3u);
}

} // namespace
} // namespace signalbox
