#include "actors/lane_board.hpp"

namespace signalbox {

std::shared_ptr<lane_counters> lane_board::counters(const std::string& lane) {
  std::lock_guard lock{mutex_};
  return lanes_[lane].counters;
}

void lane_board::put(const std::string& lane, std::optional<backlog> waiting, timestamp at) {
  std::lock_guard lock{mutex_};
  auto& of = lanes_[lane];
  of.waiting = waiting;
  of.measured_at = at;
}

std::vector<lane_view> lane_board::list() const {
  std::lock_guard lock{mutex_};
  std::vector<lane_view> views;
  for (const auto& [name, of] : lanes_)
    views.push_back({name, of.counters, of.waiting, of.measured_at});
  return views;
}

} // namespace signalbox
