#pragma once

#include "actors/ports/job_reader.hpp"
#include "adapters/http/problem.hpp"
#include "adapters/http/query_reader.hpp"

#include <vector>

namespace signalbox::http {

/// Reads `status`, `lane`, `topic`, `reference`, `since` and `stale`, as far as the list's
/// query_reader knows them. `stale`: whole seconds, or a number with s, m, h or d: the jobs that
/// have been due for so long at `now` and are still open. When `errors` is not empty afterwards,
/// the result is not to be used. Pure.
job_query read_job_query(const query_reader& query, timestamp now,
                         std::vector<field_error>& errors);

} // namespace signalbox::http
