#pragma once

#include "adapters/store/sqlite/connection.hpp"
#include "adapters/store/sqlite/job_cache.hpp"
#include "messages/outcome_status.hpp"

#include <string_view>

namespace signalbox::sqlite {

/// Writes what became of a target, over what was written before. The database counts by reason as
/// it happens (receipt_counts).
void write_receipt(connection& database, job_number job, token_id token, outcome_status status,
                   std::string_view reason, timestamp at);

} // namespace signalbox::sqlite
