#include "adapters/store/sqlite/receipts.hpp"

#include <optional>

namespace signalbox::sqlite {

void write_receipt(connection& database, job_number job, token_id token, outcome_status status,
                   std::string_view reason, timestamp at) {
  // Not by OR REPLACE, which deletes without the triggers that count.
  database.execute("INSERT INTO receipts(job, token, status, reason, at) VALUES(?, ?, ?, ?, ?) "
                   "ON CONFLICT(job, token) DO UPDATE SET status = excluded.status, "
                   "reason = excluded.reason, at = excluded.at",
                   job, token, status, reason.empty() ? std::nullopt : std::optional{reason}, at);
}

} // namespace signalbox::sqlite
