#include "actors/ingest.hpp"
#include "tests/support/builders.hpp"
#include "tests/support/caf_fixture.hpp"
#include "tests/support/fake_reply.hpp"

namespace signalbox {
namespace {

class ingest_stage : public caf_fixture {
protected:
  using committer_inbox = inbox<submit_jobs>;

  ingest start_ingest(std::int64_t capacity, std::size_t credit) {
    stats->capacity = capacity;
    const auto door = start<ingest_actor>(stats, std::string{"push"}, credit);
    use_committer(door, committer_box);
    return door;
  }

  void use_committer(const ingest& door, const std::shared_ptr<committer_inbox>& box) {
    auto peers = std::make_shared<lane_peers>();
    peers->lane = "push";
    peers->group = probe<committer>(box);
    anon_send_urgent(door, peers_changed{std::move(peers)});
    run();
  }

  void submit(const ingest& door, std::uint64_t job) {
    accept_jobs one;
    one.jobs.push_back(accepted_job(topic_job(job, "news", clock.now()), replies));
    caf::anon_send(door, std::move(one));
  }

  std::vector<job_id> passed_on(const std::shared_ptr<committer_inbox>& box) {
    std::vector<job_id> ids;
    for (const auto& batch : box->all<submit_jobs>()) {
      EXPECT_EQ(batch.lane, "push");
      for (const auto& each : batch.jobs)
        ids.push_back(each.job.id);
    }
    return ids;
  }

  std::shared_ptr<mailbox_stats> stats = std::make_shared<mailbox_stats>();
  std::shared_ptr<reply_log> replies = std::make_shared<reply_log>();
  std::shared_ptr<committer_inbox> committer_box = std::make_shared<committer_inbox>();
};

TEST_F(ingest_stage, passes_jobs_on_within_its_credit) {
  const auto door = start_ingest(10, 2);
  for (std::uint64_t job = 1; job <= 5; ++job)
    submit(door, job);
  run();
  EXPECT_EQ(passed_on(committer_box), (std::vector{job_number(1), job_number(2)}));
  EXPECT_EQ(stats->depth, 3) << "what waits keeps its places";
  anon_send_urgent(door, jobs_taken{2});
  run();
  EXPECT_EQ(passed_on(committer_box).size(), 4u);
  EXPECT_EQ(committer_box->all<submit_jobs>().size(), 3u) << "those that wait travel together";
  anon_send_urgent(door, jobs_taken{2});
  run();
  EXPECT_EQ(passed_on(committer_box).size(), 5u);
  EXPECT_EQ(passed_on(committer_box).back(), job_number(5));
  EXPECT_EQ(stats->depth, 0);
  EXPECT_EQ(replies->answered(), 0u);
}

TEST_F(ingest_stage, jobs_of_one_message_take_a_place_each) {
  const auto door = start_ingest(4, 1);
  const auto send = [&](std::uint64_t first, std::uint64_t count) {
    accept_jobs several;
    for (std::uint64_t job = first; job < first + count; ++job)
      several.jobs.push_back(accepted_job(topic_job(job, "news", clock.now()), replies));
    caf::anon_send(door, std::move(several));
    run();
  };
  send(1, 4);
  EXPECT_EQ(stats->depth, 3) << "one went on, three wait";
  send(5, 2);
  EXPECT_EQ(stats->refused, 2u);
  EXPECT_EQ(replies->refusal(job_number(5)), errc::unavailable);
  EXPECT_EQ(replies->refusal(job_number(6)), errc::unavailable);
  send(7, 1);
  EXPECT_EQ(stats->depth, 4);
  EXPECT_EQ(replies->answered(), 2u);
}

TEST_F(ingest_stage, a_full_door_answers_by_letting_go_of_the_reply) {
  const auto door = start_ingest(2, 1);
  for (std::uint64_t job = 1; job <= 4; ++job) {
    submit(door, job);
    run();
  }
  EXPECT_EQ(stats->refused, 1u);
  EXPECT_EQ(replies->refusal(job_number(4)), errc::unavailable);
  EXPECT_EQ(replies->answered(), 1u);
  anon_send_urgent(door, jobs_taken{1});
  run();
  submit(door, 5);
  run();
  EXPECT_EQ(replies->answered(), 1u) << "there is a place again";
}

TEST_F(ingest_stage, a_mailbox_of_one_still_lets_jobs_through) {
  const auto door = start_ingest(1, 1);
  for (std::uint64_t job = 1; job <= 3; ++job) {
    submit(door, job);
    run();
    anon_send_urgent(door, jobs_taken{1});
    run();
  }
  EXPECT_EQ(passed_on(committer_box).size(), 3u);
  EXPECT_EQ(stats->depth, 0);
}

TEST_F(ingest_stage, credit_never_exceeds_what_there_is) {
  const auto door = start_ingest(10, 2);
  anon_send_urgent(door, jobs_taken{5}); // of jobs that a former one had passed on
  for (std::uint64_t job = 1; job <= 5; ++job)
    submit(door, job);
  run();
  EXPECT_EQ(passed_on(committer_box).size(), 2u);
}

TEST_F(ingest_stage, a_new_committer_means_full_credit) {
  const auto door = start_ingest(10, 1);
  submit(door, 1);
  submit(door, 2);
  run();
  EXPECT_EQ(passed_on(committer_box).size(), 1u);
  auto successor = std::make_shared<committer_inbox>();
  use_committer(door, successor);
  EXPECT_EQ(passed_on(successor), (std::vector{job_number(2)}));
}

TEST_F(ingest_stage, a_drain_passes_on_what_waits_and_refuses_the_rest) {
  const auto door = start_ingest(10, 1);
  submit(door, 1);
  submit(door, 2);
  run();
  const auto done = ask_drain(door);
  EXPECT_FALSE(*done);
  submit(door, 3);
  run();
  EXPECT_EQ(replies->refusal(job_number(3)), errc::unavailable);
  anon_send_urgent(door, jobs_taken{1});
  run();
  EXPECT_TRUE(*done);
  EXPECT_EQ(passed_on(committer_box).size(), 2u);
  EXPECT_EQ(replies->answered(), 1u);
}

TEST_F(ingest_stage, a_crash_answers_what_waited) {
  const auto door = start_ingest(10, 1);
  for (std::uint64_t job = 1; job <= 3; ++job)
    submit(door, job);
  run();
  crash(door);
  run();
  EXPECT_EQ(replies->refusal(job_number(2)), errc::unavailable);
  EXPECT_EQ(replies->refusal(job_number(3)), errc::unavailable);
  EXPECT_EQ(replies->answered(), 2u) << "the first is the committer's";
}

} // namespace
} // namespace signalbox
