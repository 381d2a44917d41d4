#pragma once

#include "adapters/store/sqlite/job_cache.hpp"
#include "adapters/store/sqlite/lane_names.hpp"
#include "adapters/store/sqlite/pool.hpp"
#include "messages/ids.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <optional>
#include <tuple>
#include <unordered_map>
#include <vector>

namespace signalbox::sqlite {

/// A lane's place for one destination.
using lane_pool = std::tuple<lane_number, app_id, pool_code>;

struct retry_place {
  job_number job = 0;
  token_id token = 0;
  bool operator==(const retry_place&) const = default;
};

/// A retry row under a lease, and the chunk that it counts for.
struct leased_retry {
  token_id token = 0;
  std::uint32_t seq = 0;
};

/// A lease on retry rows of one job, by an epoch of its own.
struct retry_lease {
  job_number job = 0;
  lane_pool place;
  std::vector<token_id> tokens;
  timestamp expires_at;
};

/// Who has a lease on which retry rows. In memory alone: leases of earlier boots are void, so that
/// a crash forgets what nobody holds any more. The writer's thread changes it: leases begin and
/// end with an outcome after the commit of what they come of, so that a rollback changes nothing.
/// Thread-safe.
class retry_leases {
public:
  /// After the claim's commit.
  void begin(std::uint64_t epoch, job_number job, const lane_pool& place,
             const std::vector<leased_retry>& rows, timestamp expires_at);

  bool is_leased(const retry_place& row) const;
  /// The chunk of a row; nothing if it is not leased under this epoch.
  std::optional<std::uint32_t> chunk_of(const retry_place& row, std::uint64_t epoch) const;
  /// What is left of a lease; nothing if it is not held.
  std::optional<retry_lease> find(job_number job, std::uint64_t epoch) const;
  std::size_t count(const lane_pool& place) const;                       ///< leased rows
  std::vector<token_id> tokens_of(job_number job, pool_code pool) const; ///< leased rows

  /// After the commit of the rows' outcomes.
  void end(const std::vector<retry_place>& rows);
  bool renew(job_number job, std::uint64_t epoch, timestamp expires_at); ///< false: not held
  bool release(job_number job, std::uint64_t epoch);                     ///< false: not held
  /// Ends those that end by `now`; whether there were any.
  bool expire(timestamp now);
  timestamp next_expiry() const; ///< timestamp::max() without leases
  void put_back(std::chrono::milliseconds by);

private:
  struct row_hash {
    std::size_t operator()(const retry_place& row) const;
  };
  struct row_lease {
    std::uint64_t epoch = 0;
    std::uint32_t seq = 0;
  };
  struct held {
    retry_lease lease; ///< its tokens: also those that have ended
    std::size_t left = 0;
  };
  using leases = std::unordered_map<std::uint64_t, held>;

  bool holds(const retry_place& row, std::uint64_t epoch) const;
  leases::iterator drop(leases::iterator at);

  mutable std::mutex mutex_;
  leases leases_; ///< by epoch
  std::unordered_map<retry_place, row_lease, row_hash> rows_;
};

} // namespace signalbox::sqlite
