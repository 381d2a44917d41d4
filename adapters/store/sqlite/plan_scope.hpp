#pragma once

#include "adapters/store/sqlite/planning.hpp"

#include <optional>
#include <string>

namespace signalbox::sqlite {

/// A job whose planning goes on.
struct planned_job {
  job_number n = 0;
  lane_number lane = 0;
  app_id app = default_app;
  scope_kind kind = scope_kind::topic;
  std::int64_t scope_id = 0;
  std::string scope_name;
  plan_cursor cursor;
};

/// Reads what of the job's scope is to be planned next: `most_chunks` chunks or few more, of each
/// pool that is not far enough ahead; nothing if the job is as far ahead as it may be, or waits for
/// its turn. On a reader. Throws `failure` if the rows are damaged.
std::optional<plan_step> read_scope(connection& database, shared_state& shared,
                                    const planned_job& job, std::size_t chunk_size,
                                    std::size_t most_chunks);

} // namespace signalbox::sqlite
