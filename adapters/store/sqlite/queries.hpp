#pragma once

#include "actors/ports/job_reader.hpp"
#include "adapters/store/sqlite/connection.hpp"

#include <optional>
#include <string>
#include <vector>

namespace signalbox::sqlite {

// What the API asks about jobs, as functions of one connection.

/// In a snapshot of its own.
result<job_view> read_job(connection& database, app_id app, const job_id& id);
/// The same inside a transaction.
result<job_view> read_view(connection& database, app_id app, const job_id& id);

result<page_of<job_view>> read_jobs(connection& database, app_id app, scope_kind scope,
                                    const std::string& name, std::optional<job_status> status,
                                    const page_request& page);

result<page_of<receipt_view>> read_receipts(connection& database, app_id app, const job_id& id,
                                            const page_request& page);

result<std::vector<reason_count>> read_reasons(connection& database, app_id app, const job_id& id);

} // namespace signalbox::sqlite
