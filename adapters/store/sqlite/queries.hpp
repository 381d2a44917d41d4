#pragma once

#include "actors/ports/job_reader.hpp"
#include "adapters/store/sqlite/connection.hpp"

#include <optional>
#include <string>
#include <vector>

namespace signalbox::sqlite {

// What the API asks about jobs, as functions of one connection.

/// The columns of `jobs` that view_of reads.
#define SIGNALBOX_JOB_COLUMNS                                                                      \
  "n, id, (SELECT name FROM lanes WHERE lanes.id = jobs.lane), scope_kind, scope_name, status, "   \
  "total, planned, accepted, rejected, unknown, expired, skipped, created_at, not_before, "        \
  "expires_at, completed_at, replay_of, reference"

/// The counts are those of the roll-up, which is exact once the job is complete.
job_view view_of(const rows& found);

/// In a snapshot of its own.
result<job_view> read_job(connection& database, app_id app, const job_id& id);
/// The same inside a transaction.
result<job_view> read_view(connection& database, app_id app, const job_id& id);

result<page_of<receipt_view>> read_receipts(connection& database, app_id app, const job_id& id,
                                            const page_request& page);

result<std::vector<reason_count>> read_reasons(connection& database, app_id app, const job_id& id);

result<std::vector<lane_jobs>> count_open_jobs(connection& database);

} // namespace signalbox::sqlite
