#pragma once

#include "adapters/store/sqlite/connection.hpp"
#include "adapters/store/sqlite/job_cache.hpp"
#include "adapters/store/sqlite/retry_leases.hpp"
#include "adapters/store/sqlite/retry_pack.hpp"

#include <cstddef>
#include <functional>
#include <optional>
#include <vector>

namespace signalbox::sqlite {

/// A pack has so many entries at most.
inline constexpr std::size_t most_in_pack = 256;

/// A row of `retries`: targets of one job and destination that are due together.
struct retry_pack {
  pack_number n = 0;
  job_number job = 0;
  lane_pool place;
  timestamp run_at;     ///< the latest of its entries'
  timestamp written_at; ///< by the clock that gave run_at; the earliest of its entries'
  std::size_t size = 0; ///< what the row says of itself
  bool is_damaged = false;
  std::vector<retry_entry> entries; ///< by ascending token; none if it is damaged
};

/// Nothing if it does not exist.
std::optional<retry_pack> read_pack(connection& database, pack_number n);

/// A new row of `entries`; `n` and `size` are not looked at.
void insert_pack(connection& database, const retry_pack& pack);
/// Writes what is left of `entries`: the row goes with the last.
void rewrite_pack(connection& database, const retry_pack& pack);
void delete_pack(connection& database, pack_number n);
/// Gives a pack another time.
void postpone_pack(connection& database, pack_number n, timestamp run_at, timestamp written_at);

bool has_retries(connection& database, job_number job);
/// Visits a job's packs, the latest first, until `visit` returns false.
void visit_packs(connection& database, job_number job,
                 const std::function<bool(pack_number)>& visit);
/// How many targets these packs have.
std::int64_t size_of_packs(connection& database, const std::vector<pack_number>& packs);

/// Parks a pack (parking.hpp).
void park_pack(connection& database, pack_number n);
/// Gives back so many parked packs of a job and pool at most; how many.
std::size_t unpark_packs(connection& database, job_number job, pool_code pool, std::size_t limit);
/// The first job behind `after` that has parked packs.
std::optional<job_number> next_parked_job(connection& database, job_number after);

/// Closes a pack whose entries cannot be read: all its targets are *rejected*, and one dead letter
/// without a token, reason "corrupt", stands for them.
void close_damaged(connection& database, const retry_pack& pack, timestamp now);

} // namespace signalbox::sqlite
