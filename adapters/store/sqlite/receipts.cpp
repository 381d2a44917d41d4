#include "adapters/store/sqlite/receipts.hpp"

#include <optional>

namespace signalbox::sqlite {

void write_receipt(connection& database, job_number job, token_id token, outcome_status status,
                   std::string_view reason, timestamp at, pool_code pool,
                   std::string_view unique_id) {
  const auto given = [](std::string_view text) {
    return text.empty() ? std::nullopt : std::optional{text};
  };
  // Not by OR REPLACE, which deletes without the triggers that count.
  database.execute("INSERT INTO receipts(job, token, status, reason, at, pool, unique_id) "
                   "VALUES(?, ?, ?, ?, ?, ?, ?) "
                   "ON CONFLICT(job, token) DO UPDATE SET status = excluded.status, "
                   "reason = excluded.reason, at = excluded.at, pool = excluded.pool, "
                   "unique_id = excluded.unique_id",
                   job, token, status, given(reason), at, pool, given(unique_id));
}

} // namespace signalbox::sqlite
