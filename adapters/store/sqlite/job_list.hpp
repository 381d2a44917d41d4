#pragma once

#include "actors/ports/job_reader.hpp"
#include "adapters/store/sqlite/connection.hpp"

#include <cstddef>

namespace signalbox::sqlite {

/// A page looks at so many jobs, and chunks of those that are open.
inline constexpr std::size_t most_examined = 5'000;

/// The page of job_reader::list_jobs. Its key is the number of the last job that was looked at.
result<page_of<job_view>> read_jobs(connection& database, app_id app, const job_query& query,
                                    const page_request& page);

} // namespace signalbox::sqlite
