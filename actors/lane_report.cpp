#include "actors/lane_report.hpp"

#include <utility>

namespace signalbox {

std::vector<lane_report> lane_reporter::report(std::chrono::nanoseconds elapsed) {
  std::map<std::string, std::map<std::string, lane_report::mailbox>> mailboxes;
  for (const auto& entry : stages_.list()) {
    auto& of = mailboxes[entry.place.lane][entry.place.stage];
    of.stage = entry.place.stage;
    of.depth += entry.mailbox->depth.load();
    of.capacity += entry.mailbox->capacity.load();
  }
  const auto breakers = breakers_.list();
  const double seconds = std::chrono::duration<double>(elapsed).count();
  std::vector<lane_report> reports;
  for (const auto& view : lanes_.list()) {
    lane_report one;
    one.lane = view.lane;
    one.waiting = view.waiting;
    for (auto& [stage, mailbox] : mailboxes[view.lane])
      one.mailboxes.push_back(std::move(mailbox));
    for (const auto& breaker : breakers)
      if (breaker.place.lane == view.lane || breaker.place.lane.empty())
        one.breakers.push_back(breaker);
    const bool is_first = !before_.contains(view.lane);
    auto& before = before_[view.lane];
    for (std::size_t status = 0; status < before.size(); ++status) {
      const auto now = view.counters->outcomes[status].load(std::memory_order_relaxed);
      if (!is_first && seconds > 0)
        one.rates[status] =
          static_cast<std::uint64_t>(static_cast<double>(now - before[status]) / seconds + 0.5);
      before[status] = now;
    }
    reports.push_back(std::move(one));
  }
  return reports;
}

} // namespace signalbox
