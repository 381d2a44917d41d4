#pragma once

#include "adapters/store/sqlite/commit.hpp"
#include "adapters/store/sqlite/ledger_state.hpp"
#include "messages/ledger.hpp"

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace signalbox::sqlite {

/// A step plans so many chunks at most.
inline constexpr std::size_t plan_step_chunks = 64;
/// Planning of a pool waits while so many of its chunks are unclaimed.
inline constexpr std::size_t plan_ahead_chunks = 256;
/// Inline tokens are made into rows so many a step: each may be written to three b-trees.
inline constexpr std::size_t plan_step_inline = 500;

/// How far a job's planning has come. For topics: the last token planned, for each pool; for users:
/// the last user; for inline tokens: the place in their list; for activities: activity_audience's
/// place, for each pool. `finished`: nothing is left.
struct plan_cursor {
  static constexpr std::int64_t finished = -1;

  std::array<std::int64_t, all_pools.size()> at{};
  /// For activities: where reading began, which must not move while it goes on.
  std::array<token_id, all_pools.size()> first{};

  std::string bytes() const;
  static plan_cursor from(std::string_view bytes);
  bool is_finished() const;
  bool operator==(const plan_cursor&) const = default;
};

/// One job's part of a step: read, and waiting to be written.
struct plan_step {
  job_number job = 0;
  lane_number lane = 0;
  app_id app = default_app;
  plan_cursor from;
  plan_cursor to;
  struct chunk {
    pool_code pool = 0;
    std::vector<token_id> ids;
    bool is_deferred = false; ///< become retries that are due soon
  };
  std::vector<chunk> chunks;
  std::vector<inline_token> inline_tokens; ///< become chunks when they are written
  bool job_has_more = false;               ///< and room for it
  bool is_damaged = false;                 ///< its scope cannot be read: the job fails
  bool takes_turn = false;                 ///< a dispatch of an activity that moves on (turns.hpp)
};

/// What the lane plans next.
struct plan_reading {
  std::vector<plan_step> steps;
  job_number last = 0;       ///< looked at
  bool is_cut_short = false; ///< enough jobs were looked at in vain: there may be others
};

/// Reads what the lane plans next: of the jobs after `after`, in turn, that have room ahead, until
/// the chunks make a step; no steps if no job has any. On a reader.
plan_reading read_plan_steps(connection& database, shared_state& shared, const std::string& lane,
                             job_number after, std::size_t chunk_size);

/// Writes steps, each unless its job has moved on since; in the writer's transaction.
struct written_plan {
  plan_result result;
  std::vector<job_number> ended; ///< to be closed
};
written_plan write_plan_steps(connection& database, shared_state& shared,
                              const std::vector<plan_step>& steps, std::size_t chunk_size);

} // namespace signalbox::sqlite
