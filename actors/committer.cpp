#include "actors/committer.hpp"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <utility>

namespace signalbox {

namespace {

// A group waits for nothing, so that any time will do.
constexpr boot_clock::time_point at_once{};

} // namespace

committer_actor::committer_actor(caf::actor_config& cfg, std::shared_ptr<mailbox_stats> mailbox,
                                 job_store& store, committer_options options)
  : bounded(cfg, std::move(mailbox)), store_(store), options_(options),
    group_({.size = options.group_size, .interval = std::chrono::milliseconds{0}}) {}

committer_actor::behavior_type committer_actor::make_behavior() {
  return {
    [this](submit_jobs& batch) { submit(batch); },
    [this](group_committed& group) { finish(group); },
    [this](const tick&) {
      scheduled_ = false;
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
  writing_.clear();
}

void committer_actor::submit(submit_jobs& batch) {
  auto& waiting = lanes_[batch.lane].waiting;
  std::move(batch.jobs.begin(), batch.jobs.end(), std::back_inserter(waiting));
  if (!group_.is_under_way())
    schedule_commit();
}

// Behind what is in the mailbox already, so that a burst becomes one group and not one job and a
// rest.
void committer_actor::schedule_commit() {
  if (!std::exchange(scheduled_, true))
    send_urgent(this, committer{this}, tick{});
}

void committer_actor::fill_group() {
  auto lane = lanes_.upper_bound(last_lane_);
  for (std::size_t idle = 0; idle < lanes_.size() && group_.has_room(); ++lane) {
    if (lane == lanes_.end())
      lane = lanes_.begin();
    auto& [name, queue] = *lane;
    if (queue.waiting.empty()) {
      ++idle;
      continue;
    }
    idle = 0;
    auto& next = queue.waiting.front();
    const auto id = next.job.id;
    group_.add({name, id, std::move(next)}, at_once);
    queue.waiting.pop_front();
    ++queue.taken;
    last_lane_ = name;
  }
}

void committer_actor::commit_next() {
  if (group_.is_under_way())
    return;
  fill_group();
  writing_ = group_.next(at_once);
  if (writing_.empty()) {
    finish_drain();
    return;
  }
  std::vector<job_submission> jobs;
  std::map<std::string, std::size_t> direct_left;
  for (auto& each : writing_) {
    const auto [left, first] = direct_left.try_emplace(each.lane, 0);
    if (first)
      left->second = direct_room(lanes_[each.lane]);
    const bool take = left->second > 0;
    left->second -= take ? 1 : 0;
    jobs.push_back({std::move(each.job.job), take});
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
  for (std::size_t i = 0; i < writing_.size(); ++i) {
    const auto& lane = writing_[i].lane;
    const auto& reply = writing_[i].job.reply;
    if (!group.outcome.ok()) {
      reply->refused(group.outcome.code, group.outcome.message);
    } else if (results[i].code != errc::ok) {
      reply->refused(results[i].code, results[i].message);
    } else {
      reply->accepted(writing_[i].id, results[i]);
      auto& works = results[i].taken;
      const auto& event = results[i].activity;
      const bool is_made = !event || event->dispatch;
      if (is_made && works.empty() && results[i].status == job_status::queued)
        hint[lane] = true;
      std::move(works.begin(), works.end(), std::back_inserter(direct[lane]));
    }
  }
  if (!group.outcome.ok())
    spdlog::warn("event=commit_failed jobs={} code={} error={:?}", writing_.size(),
                 to_string(group.outcome.code), group.outcome.message);
  writing_.clear();
  group_.succeeded(); // or answered: a client decides by itself whether to try again
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
    group_.is_empty() && std::all_of(lanes_.begin(), lanes_.end(),
                                     [](const auto& lane) { return lane.second.waiting.empty(); });
  if (empty && drain_promise_.pending())
    drain_promise_.deliver(drained{});
}

} // namespace signalbox
