#pragma once

#include "adapters/store/sqlite/connection.hpp"
#include "adapters/store/sqlite/job_cache.hpp"
#include "adapters/store/sqlite/pool.hpp"
#include "messages/outcome_status.hpp"

#include <string_view>

namespace signalbox::sqlite {

/// Writes what became of a target, over what was written before. The database counts by reason as
/// it happens (receipt_counts). `pool` is where the token belongs, which may be deleted first;
/// `unique_id` the provider's own id of the request, where it gave one.
void write_receipt(connection& database, job_number job, token_id token, outcome_status status,
                   std::string_view reason, timestamp at, pool_code pool,
                   std::string_view unique_id = {});

} // namespace signalbox::sqlite
