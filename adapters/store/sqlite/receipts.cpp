#include "adapters/store/sqlite/receipts.hpp"

#include <optional>

namespace signalbox::sqlite {

void receipt_writer::write(job_number job, token_id token, outcome_status status,
                           std::string_view reason, timestamp at, pool_code pool,
                           std::string_view unique_id) {
  const auto given = [](std::string_view text) {
    return text.empty() ? std::nullopt : std::optional{text};
  };
  const auto inserted =
    database_.execute("INSERT INTO receipts(job, token, status, reason, at, pool, unique_id) "
                      "VALUES(?, ?, ?, ?, ?, ?, ?) ON CONFLICT(job, token) DO NOTHING",
                      job, token, status, given(reason), at, pool, given(unique_id));
  if (inserted == 0) { // a trigger moves its count, which must be there
    finish();
    database_.execute("UPDATE receipts SET status = ?, reason = ?, at = ?, pool = ?, unique_id = ? "
                      "WHERE job = ? AND token = ?",
                      status, given(reason), at, pool, given(unique_id), job, token);
    return;
  }
  const auto known = new_.find(std::tuple{job, status, reason});
  if (known != new_.end())
    ++known->second;
  else
    new_.emplace(reason_key{job, status, std::string{reason}}, 1);
}

void receipt_writer::finish() {
  for (const auto& [key, count] : new_) {
    const auto& [job, status, reason] = key;
    database_.execute("INSERT INTO receipt_counts(job, status, reason, count) VALUES(?, ?, ?, ?) "
                      "ON CONFLICT(job, status, reason) DO UPDATE SET "
                      "count = count + excluded.count",
                      job, status, std::string_view{reason}, count);
  }
  new_.clear();
}

} // namespace signalbox::sqlite
