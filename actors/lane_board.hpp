#pragma once

#include "messages/ledger.hpp"

#include <array>
#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

namespace signalbox {

/// What a lane has written into the ledger since the node started. Every member may be read from
/// any thread. Counted by the flush, so that a flush which is repeated after a lost answer counts
/// once here as it does in the ledger.
struct lane_counters {
  /// By outcome_status; the place of `retry` counts retries.
  std::array<std::atomic<std::uint64_t>, 7> outcomes{};
  std::atomic<std::uint64_t> dead_letters{0};
  std::atomic<std::uint64_t> refunded{0}; ///< attempts taken back after an outage

  std::uint64_t of(outcome_status status) const {
    return outcomes[static_cast<std::size_t>(status)].load(std::memory_order_relaxed);
  }
};

/// What one lane's board says.
struct lane_view {
  std::string lane;
  std::shared_ptr<const lane_counters> counters;
  std::optional<backlog> waiting; ///< none: not measured yet, or not for a while
  timestamp measured_at;
};

/// Counters and backlog of every lane, for metrics and inspection. Thread-safe.
class lane_board {
public:
  /// The lane's counters, made at the first call.
  std::shared_ptr<lane_counters> counters(const std::string& lane);
  /// The newest measurement; none: it failed, so that an outage of the store shows as a gap.
  void put(const std::string& lane, std::optional<backlog> waiting, timestamp at);
  std::vector<lane_view> list() const; ///< by lane

private:
  struct entry {
    std::shared_ptr<lane_counters> counters = std::make_shared<lane_counters>();
    std::optional<backlog> waiting;
    timestamp measured_at;
  };

  mutable std::mutex mutex_;
  std::map<std::string, entry> lanes_;
};

} // namespace signalbox
