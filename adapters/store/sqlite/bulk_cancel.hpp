#pragma once

#include "actors/ports/job_control.hpp"
#include "adapters/store/sqlite/ledger_state.hpp"

#include <optional>
#include <vector>

namespace signalbox::sqlite {

/// A call cancels so many jobs at most.
inline constexpr std::size_t most_cancelled = 100;

struct jobs_to_cancel {
  std::vector<job_number> jobs; ///< oldest first
  bool more = false;
};

/// Open jobs that fit the rule. On a reader: it looks through all that are open.
jobs_to_cancel find_open_jobs(connection& database, const work_rule& rule,
                              std::optional<timestamp> created_before);

struct cancelled_jobs {
  std::vector<job_number> jobs; ///< to be closed
  std::vector<job_id> ids;
};

/// Sets the status of those that are still open, in the writer's transaction.
cancelled_jobs cancel_all(connection& database, const std::vector<job_number>& jobs);

} // namespace signalbox::sqlite
