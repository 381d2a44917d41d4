#pragma once

#include "actors/ports/job_reader.hpp"
#include "adapters/store/sqlite/connection.hpp"
#include "adapters/store/sqlite/job_cache.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace signalbox::sqlite {

/// A job_query in numbers.
struct wanted_jobs {
  app_id app = default_app;
  scope_kind scope = scope_kind::topic;
  std::optional<std::int64_t> scope_id; ///< of the user or the topic
  std::optional<job_status> status;
  std::optional<std::int64_t> lane;
  std::optional<std::string> reference;
  std::optional<timestamp> since;
  std::optional<timestamp> due_before;
  job_number lowest = 0; ///< no job below can fit
};

/// Numbers of jobs that may fit, newest first.
struct job_candidates {
  std::vector<job_number> numbers;
  job_number before = 0; ///< all above it have been looked at
  std::size_t steps = 0; ///< look-ups that found nothing
  bool is_last = false;  ///< none are left below `before`
};

/// The next at most `limit` of them, below `before`: by the index that leaves the fewest, which is
/// read alone, no row of a job. `limit` also bounds `steps`.
job_candidates next_candidates(connection& database, const wanted_jobs& wanted, job_number before,
                               std::size_t limit);

/// A number that jobs created at `since` or later are not below, as far as they were committed in
/// the order in which they were created: what precedes by no more than 4,096 jobs is found.
job_number lowest_since(connection& database, timestamp since);

} // namespace signalbox::sqlite
