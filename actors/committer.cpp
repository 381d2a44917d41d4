#include "actors/committer.hpp"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <utility>

namespace signalbox {

committer_actor::committer_actor(caf::actor_config& cfg, std::shared_ptr<mailbox_stats> mailbox,
                                 job_store& store, committer_options options)
  : bounded(cfg, std::move(mailbox)), store_(store), options_(options) {}

committer_actor::behavior_type committer_actor::make_behavior() {
  return {
    [this](submit_jobs& batch) { submit(batch); },
    [this](group_committed& group) { finish(group); },
    [this](const tick&) {
      scheduled_ = false;
      if (group_.empty())
        commit_next();
    },
    [this](const peers_changed& change) {
      auto& lane = lanes_[change.peers->lane];
      lane.peers = change.peers;
      report_taken(lane); // a new committer may get jobs before it knows from whom
    },
    [this](const drain&) {
      drain_promise_ = make_response_promise<drained>();
      finish_drain();
      return drain_promise_;
    },
  };
}

void committer_actor::on_exit() {
  lanes_.clear();
  group_.clear();
}

void committer_actor::submit(submit_jobs& batch) {
  auto& waiting = lanes_[batch.lane].waiting;
  std::move(batch.jobs.begin(), batch.jobs.end(), std::back_inserter(waiting));
  if (group_.empty())
    schedule_commit();
}

// Behind what is in the mailbox already, so that a burst becomes one group and not one job and a
// rest.
void committer_actor::schedule_commit() {
  if (!std::exchange(scheduled_, true))
    send_urgent(this, committer{this}, tick{});
}

void committer_actor::commit_next() {
  std::vector<job_submission> jobs;
  std::map<std::string, std::size_t> direct_left;
  auto lane = lanes_.upper_bound(last_lane_);
  for (std::size_t idle = 0; idle < lanes_.size() && jobs.size() < options_.group_size;) {
    if (lane == lanes_.end())
      lane = lanes_.begin();
    auto& [name, queue] = *lane;
    if (queue.waiting.empty()) {
      ++idle;
    } else {
      idle = 0;
      auto job = std::move(queue.waiting.front());
      queue.waiting.pop_front();
      const auto [left, first] = direct_left.try_emplace(name, 0);
      if (first)
        left->second = direct_room(queue);
      const bool take = left->second > 0;
      left->second -= take ? 1 : 0;
      group_.push_back({name, job.job.id, std::move(job.reply)});
      jobs.push_back({std::move(job.job), take});
      ++queue.taken;
      last_lane_ = name;
    }
    ++lane;
  }
  if (jobs.empty()) {
    finish_drain();
    return;
  }
  for (auto& [name, queue] : lanes_)
    report_taken(queue);
  store_.commit_jobs(std::move(jobs), options_.lease,
                     [self = committer{this}](result<std::vector<commit_result>> outcome) {
                       anon_send_urgent(self, group_committed{std::move(outcome)});
                     });
}

void committer_actor::report_taken(lane_queue& lane) {
  if (lane.taken > 0 && lane.peers && lane.peers->door)
    send_urgent(this, lane.peers->door, jobs_taken{std::exchange(lane.taken, 0)});
}

void committer_actor::finish(group_committed& group) {
  auto& results = group.outcome.value;
  std::map<std::string, std::vector<work_ptr>> direct;
  std::map<std::string, bool> hint;
  for (std::size_t i = 0; i < group_.size(); ++i) {
    const auto& [lane, job, reply] = group_[i];
    if (!group.outcome.ok()) {
      reply->refused(group.outcome.code, group.outcome.message);
    } else if (results[i].code != errc::ok) {
      reply->refused(results[i].code, results[i].message);
    } else {
      reply->accepted(job, results[i].status);
      auto& works = results[i].taken;
      if (works.empty() && results[i].status == job_status::queued)
        hint[lane] = true;
      std::move(works.begin(), works.end(), std::back_inserter(direct[lane]));
    }
  }
  if (!group.outcome.ok())
    spdlog::warn("event=commit_failed jobs={} code={} error=\"{}\"", group_.size(),
                 to_string(group.outcome.code), group.outcome.message);
  group_.clear();
  for (auto& [name, works] : direct)
    if (!works.empty())
      hand_over(lanes_[name], std::move(works));
  for (const auto& [name, hinted] : hint)
    if (const auto& peers = lanes_[name].peers) {
      send_urgent(this, peers->plan, work_hint{});
      for (const auto& each : peers->masters)
        send_urgent(this, each, work_hint{});
    }
  schedule_commit();
}

void committer_actor::hand_over(lane_queue& lane, std::vector<work_ptr> works) {
  const auto& masters = lane.peers->masters;
  for (std::size_t tried = 0; tried < masters.size(); ++tried) {
    const auto& to = masters[lane.next_master++ % masters.size()];
    if (!to)
      continue;
    lane.direct.insert(lane.direct.end(), works.begin(), works.end());
    send_urgent(this, to, direct_works{std::move(works)});
    return;
  }
  // Every master is being restarted: the works' leases run out, and a claim takes them.
}

std::size_t committer_actor::direct_room(lane_queue& lane) const {
  if (!lane.peers || std::none_of(lane.peers->masters.begin(), lane.peers->masters.end(),
                                  [](const master& each) { return each != nullptr; }))
    return 0;
  // Counted by who is alive, so that no crash on their way can use the allowance up.
  if (lane.direct.size() >= options_.direct_works)
    std::erase_if(lane.direct, [](const auto& each) { return each.expired(); });
  return options_.direct_works - std::min(options_.direct_works, lane.direct.size());
}

void committer_actor::finish_drain() {
  const bool empty =
    group_.empty() && std::all_of(lanes_.begin(), lanes_.end(),
                                  [](const auto& lane) { return lane.second.waiting.empty(); });
  if (empty && drain_promise_.pending())
    drain_promise_.deliver(drained{});
}

} // namespace signalbox
