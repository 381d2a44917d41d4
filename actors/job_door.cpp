#include "actors/job_door.hpp"

#include <caf/send.hpp>

namespace signalbox {

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
  ingest door;
  {
    std::lock_guard lock{mutex_};
    const auto found = lanes_.find(job.job.lane);
    if (closed_ || found == lanes_.end())
      return;
    door = found->second->door;
  }
  if (door)
    caf::anon_send(door, std::move(job));
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

void job_door::clear() {
  std::map<std::string, std::shared_ptr<const lane_peers>, std::less<>> gone;
  std::lock_guard lock{mutex_};
  closed_ = true;
  gone.swap(lanes_);
}

} // namespace signalbox
