#include "actors/job_door.hpp"

#include <caf/send.hpp>

#include <algorithm>
#include <utility>

namespace signalbox {

namespace {

// A mailbox takes a message's jobs all or none.
constexpr std::size_t most_in_a_message = 32;

} // namespace

bool job_door::knows(std::string_view lane) const {
  std::lock_guard lock{mutex_};
  return lanes_.find(lane) != lanes_.end();
}

std::vector<std::string> job_door::lanes() const {
  std::lock_guard lock{mutex_};
  std::vector<std::string> names;
  for (const auto& [name, peers] : lanes_)
    names.push_back(name);
  return names;
}

std::shared_ptr<const lane_peers> job_door::peers(std::string_view lane) const {
  std::lock_guard lock{mutex_};
  const auto found = lanes_.find(lane);
  return found == lanes_.end() ? nullptr : found->second;
}

void job_door::submit(accept_job job) {
  std::lock_guard lock{mutex_};
  if (!closed_)
    submitted_[job.job.lane].push_back(std::move(job));
}

void job_door::pass_on() {
  std::vector<std::pair<ingest, accept_jobs>> arrivals;
  std::vector<std::vector<accept_job>> homeless; // answered outside of the lock
  {
    std::lock_guard lock{mutex_};
    for (auto& [lane, jobs] : submitted_) {
      if (jobs.empty())
        continue;
      const auto found = lanes_.find(lane);
      if (found == lanes_.end() || !found->second->door) {
        homeless.push_back(std::exchange(jobs, {}));
        continue;
      }
      for (std::size_t i = 0; i < jobs.size(); ++i) {
        if (i % most_in_a_message == 0) {
          arrivals.push_back({found->second->door, {}});
          arrivals.back().second.jobs.reserve(std::min(jobs.size() - i, most_in_a_message));
        }
        arrivals.back().second.jobs.push_back(std::move(jobs[i]));
      }
      jobs.clear(); // its room stays for the next turn's
    }
  }
  for (auto& [door, jobs] : arrivals)
    caf::anon_send(door, std::move(jobs));
}

void job_door::stop_job(const job_id& job, const std::string& reason) {
  std::vector<master> masters;
  {
    std::lock_guard lock{mutex_};
    for (const auto& [name, peers] : lanes_)
      masters.insert(masters.end(), peers->masters.begin(), peers->masters.end());
  }
  for (const auto& each : masters)
    if (each)
      caf::anon_send(each, job_stopped{job, reason});
}

void job_door::watch(watch_request request) {
  broadcaster events;
  {
    std::lock_guard lock{mutex_};
    events = events_;
  }
  if (events)
    caf::anon_send(events, std::move(request));
}

void job_door::reset_breakers(std::string_view lane, std::optional<destination> dest,
                              std::optional<breaker_kind> kind) {
  std::vector<std::shared_ptr<const lane_peers>> lanes;
  {
    std::lock_guard lock{mutex_};
    for (const auto& [name, peers] : lanes_)
      if (lane.empty() || name == lane)
        lanes.push_back(peers);
  }
  const signalbox::reset_breakers message{dest, kind};
  for (const auto& each : lanes) {
    if (each->room)
      caf::anon_send<caf::message_priority::high>(each->room, message);
    if (each->outcomes)
      caf::anon_send<caf::message_priority::high>(each->outcomes, message);
  }
}

void job_door::probe_now(std::optional<destination> dest) {
  std::vector<credit> rooms;
  {
    std::lock_guard lock{mutex_};
    for (const auto& [name, peers] : lanes_)
      if (peers->room)
        rooms.push_back(peers->room);
  }
  for (const auto& each : rooms)
    caf::anon_send<caf::message_priority::high>(each, signalbox::probe_now{dest});
}

void job_door::close() {
  std::lock_guard lock{mutex_};
  closed_ = true;
}

bool job_door::closed() const {
  std::lock_guard lock{mutex_};
  return closed_;
}

void job_door::update(std::shared_ptr<const lane_peers> peers) {
  std::lock_guard lock{mutex_};
  lanes_[peers->lane] = std::move(peers);
}

void job_door::update(broadcaster events) {
  std::lock_guard lock{mutex_};
  events_ = std::move(events);
}

void job_door::clear() {
  std::map<std::string, std::shared_ptr<const lane_peers>, std::less<>> gone;
  broadcaster events;
  std::lock_guard lock{mutex_};
  closed_ = true;
  gone.swap(lanes_);
  events.swap(events_);
}

} // namespace signalbox
