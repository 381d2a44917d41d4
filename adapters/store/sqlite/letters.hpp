#pragma once

#include "adapters/store/sqlite/connection.hpp"
#include "adapters/store/sqlite/job_cache.hpp"
#include "adapters/store/sqlite/retry_leases.hpp"

#include <cstdint>
#include <string_view>

namespace signalbox::sqlite {

/// A target of a chunk that is given up.
struct new_letter {
  job_number job = 0;
  std::uint32_t seq = 0;
  token_id token = 0; ///< 0: all of the chunk, whose target list is damaged
  std::uint32_t attempts = 0;
  std::string_view reason;     ///< "max_attempts", "lease_lost", "corrupt"
  std::string_view last_error; ///< of the last try; may be empty
  timestamp at;
};

/// Lists it as a dead letter, in the transaction that counts it.
void write_letter(connection& database, const new_letter& letter);
/// The same for targets of several chunks: `seq` is not looked at.
void write_letter(connection& database, const new_letter& letter, const lane_pool& place);

} // namespace signalbox::sqlite
