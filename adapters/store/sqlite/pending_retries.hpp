#pragma once

#include "adapters/store/sqlite/retry_packs.hpp"
#include "messages/work.hpp"

#include <functional>
#include <vector>

namespace signalbox::sqlite {

/// What one flush has to retry, of whatever works: written at its end, in packs.
class pending_retries {
public:
  struct pending {
    job_number job = 0;
    lane_pool place;
    timestamp run_at;
    timestamp written_at; ///< by the clock that gave run_at
    retry_entry entry;
    const work* of = nullptr; ///< outlives the flush
  };

  void add(const pending& one) { list_.push_back(one); }
  void clear() { list_.clear(); }

  /// Writes all and forgets them. What is due within the same tenth of a second goes together, when
  /// the last of it is due: none is early, and the others are late by less than that. What the
  /// database refuses for its own sake is tried again one by one; what it refuses then is `lost`,
  /// with the message.
  void write(connection& database,
             const std::function<void(const pending&, const std::string&)>& lost);

private:
  using range = std::vector<pending>::const_iterator;
  void write_pack(connection& database, range begin, range end,
                  const std::function<void(const pending&, const std::string&)>& lost);

  std::vector<pending> list_;
};

} // namespace signalbox::sqlite
