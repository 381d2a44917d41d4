#pragma once

#include "actors/breaker_board.hpp"
#include "actors/lane_board.hpp"
#include "actors/stage_directory.hpp"

#include <array>
#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace signalbox {

/// How a lane is doing, for those who watch.
struct lane_report {
  struct mailbox {
    std::string stage;
    std::int64_t depth = 0; ///< of all instances
    std::int64_t capacity = 0;
  };

  std::string lane;
  std::vector<mailbox> mailboxes;       ///< by stage
  std::optional<backlog> waiting;       ///< none: the store does not answer
  std::array<std::uint64_t, 7> rates{}; ///< outcomes a second, by outcome_status
  std::vector<breaker_view> breakers;   ///< that are not closed
};

/// Makes the reports, each about the time since the one before.
class lane_reporter {
public:
  lane_reporter(const stage_directory& stages, const lane_board& lanes,
                const breaker_board& breakers)
    : stages_{stages}, lanes_{lanes}, breakers_{breakers} {}

  /// Of every lane. `elapsed`: since the last call; at the first, and where it is 0, rates are 0.
  std::vector<lane_report> report(std::chrono::nanoseconds elapsed);

private:
  const stage_directory& stages_;
  const lane_board& lanes_;
  const breaker_board& breakers_;
  std::map<std::string, std::array<std::uint64_t, 7>> before_; ///< outcomes, by lane
};

} // namespace signalbox
