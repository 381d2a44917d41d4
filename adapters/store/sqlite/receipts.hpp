#pragma once

#include "adapters/store/sqlite/connection.hpp"
#include "adapters/store/sqlite/job_cache.hpp"
#include "adapters/store/sqlite/pool.hpp"
#include "messages/outcome_status.hpp"

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <tuple>

namespace signalbox::sqlite {

/// Writes what became of targets, and how many there are of each reason (receipt_counts).
class receipt_writer {
public:
  explicit receipt_writer(connection& database) : database_{database} {}

  /// Writes over what was written before of the target. `pool` is where the token belongs, which
  /// may be deleted first; `unique_id` the provider's own id of the request, where it gave one.
  /// Throws without a change when the receipt cannot be written.
  void write(job_number job, token_id token, outcome_status status, std::string_view reason,
             timestamp at, pool_code pool, std::string_view unique_id = {});

  /// Adds the new ones to the counts; owed in the transaction or savepoint of the writes.
  void finish();

  /// Instead of `finish`, when what was written is rolled back.
  void clear() { new_.clear(); }

private:
  using reason_key = std::tuple<job_number, outcome_status, std::string>;

  connection& database_;
  std::map<reason_key, std::int64_t, std::less<>> new_;
};

} // namespace signalbox::sqlite
