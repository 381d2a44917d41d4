#pragma once

#include "actors/batcher.hpp"
#include "actors/bounded.hpp"
#include "actors/ports/clock.hpp"
#include "actors/ports/job_store.hpp"
#include "messages/protocol.hpp"

#include <caf/typed_event_based_actor.hpp>
#include <caf/typed_response_promise.hpp>

#include <chrono>
#include <deque>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace signalbox {

struct committer_options {
  std::size_t group_size = 256;
  std::size_t direct_works = 1'024; ///< claimed with their commit and alive, for each lane
  std::chrono::milliseconds lease{15'000};
};

/// The group committer: commits at once when the writer is idle, and what arrives meanwhile, up to
/// a group, from the lanes in turn, with the next transaction. Nobody ever waits for a timer.
class committer_actor : public bounded<committer::base> {
public:
  committer_actor(caf::actor_config& cfg, std::shared_ptr<mailbox_stats> mailbox, job_store& store,
                  committer_options options);

  behavior_type make_behavior() override;
  void on_exit() override;

private:
  struct lane_queue {
    std::deque<accept_job> waiting;
    std::size_t taken = 0;                         ///< jobs that the door has no credit back for
    std::vector<std::weak_ptr<const work>> direct; ///< handed over; whoever is done lets go of them
    std::size_t next_master = 0;
    std::shared_ptr<const lane_peers> peers;
  };
  struct member {
    std::string lane;
    job_id id;
    accept_job job;
  };

  void submit(submit_jobs& batch);
  void schedule_commit();
  void fill_group();
  void commit_next();
  void report_taken(lane_queue& lane);
  void finish(group_committed& group);
  void hand_over(lane_queue& lane, std::vector<work_ptr> works);
  std::size_t direct_room(lane_queue& lane) const;
  void finish_drain();

  job_store& store_;
  committer_options options_;
  std::map<std::string, lane_queue> lanes_;
  std::string last_lane_; ///< the next group starts behind it
  bool scheduled_ = false;
  batcher<member> group_;       ///< filled from the lanes in turn when the writer is idle
  std::vector<member> writing_; ///< under way; their jobs are with the store
  caf::typed_response_promise<drained> drain_promise_;
};

} // namespace signalbox
