#pragma once

#include "adapters/store/sqlite/ledger_state.hpp"

#include <cstddef>

namespace signalbox::sqlite {

/// The exact counts of a job while it is open: zeros without chunks.
job_counts sum_of_chunks(connection& database, job_number job);

/// Counts retries that ended: for all of a job's chunks together, in a row of `chunks` of its
/// own, since the few that end in one flush come of many chunks.
void count_retried(connection& database, job_number job, const job_counts& counts);

/// Moves a planned job on as far as its chunks and retries allow: DISPATCHED when every chunk is
/// done, COMPLETED when no retry is left either. A job that ended otherwise gets its
/// `completed_at`. The write that sets `completed_at` also writes the exact roll-up. True if it was
/// set now.
bool try_complete(connection& database, job_number job, timestamp now);

/// A slice closes so many chunks.
inline constexpr std::size_t slice_chunks = 64;

/// One slice of closing a terminal job: at most 64 unclaimed chunks and about 1,000 unclaimed
/// retries turn skipped (expired, for an EXPIRED job). Targets that were never tried get no
/// receipt: the job's status says it all, and its counts are exact.
struct closed_slice {
  std::size_t targets = 0;
  bool more = false;
};
closed_slice close_slice(connection& database, const retry_leases& leases, job_number job,
                         timestamp now);

/// The same for a job whose deadline has passed after its first claim: what nobody has claimed
/// turns expired, each target with its receipt, and the job goes on to its end. For one that a
/// pause holds: of others, whoever claims the rest counts it. A slice closes one chunk.
closed_slice expire_slice(connection& database, const retry_leases& leases, job_number job,
                          timestamp now);

} // namespace signalbox::sqlite
