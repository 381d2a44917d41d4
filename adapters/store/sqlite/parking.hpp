#pragma once

#include "adapters/store/sqlite/ledger_state.hpp"
#include "adapters/store/sqlite/pauses.hpp"

#include <cstddef>
#include <optional>

/// The columns for whom a job is: its own scope's kind and name, or its activity's.
#define SIGNALBOX_ADDRESSEE                                                                        \
  "CASE scope_kind WHEN 5 THEN (SELECT a.scope_kind FROM activities a WHERE a.id = "               \
  "jobs.scope_id) "                                                                                \
  "ELSE scope_kind END, "                                                                          \
  "CASE scope_kind WHEN 5 THEN (SELECT a.scope_name FROM activities a WHERE a.id = "               \
  "jobs.scope_id) "                                                                                \
  "ELSE scope_name END"

namespace signalbox::sqlite {

// Work of a paused job, and retries of one that has ended, are parked when a claim comes upon them:
// taken out of the indexes that claims go by, so that what lies behind them is found at once,
// however much it is. A pause that covers a whole destination parks nothing: claims leave the
// destination out.

/// What pauses ask of a job; nothing if it does not exist.
std::optional<job_traits> traits_of(connection& database, job_number job);

/// Parks the ready chunks that a job has for a pool: as many as planning is ahead. How many.
std::size_t park_chunks(connection& database, job_number job, pool_code pool);

/// Gives back the parked chunks of a job that ended, so that its account is closed.
void unpark_chunks(connection& database, job_number job);

/// One slice of giving back what no pause covers any more: at most `limit` rows or jobs. True if
/// there is more to look at.
bool unpark_slice(connection& database, shared_state& shared, writer_state& state,
                  std::size_t limit);

} // namespace signalbox::sqlite
