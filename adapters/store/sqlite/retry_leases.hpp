#pragma once

#include "adapters/store/sqlite/job_cache.hpp"
#include "adapters/store/sqlite/lane_names.hpp"
#include "adapters/store/sqlite/pool.hpp"
#include "messages/ids.hpp"

#include <chrono>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <tuple>
#include <unordered_map>
#include <vector>

namespace signalbox::sqlite {

/// A lane's place for one destination.
using lane_pool = std::tuple<lane_number, app_id, pool_code>;

/// The number of a row of `retries`: never given twice.
using pack_number = std::int64_t;

/// A target under a lease, and the pack that its entry is in.
struct leased_retry {
  token_id token = 0;
  pack_number pack = 0;
};

/// A lease on packs of one job, by an epoch of its own.
struct retry_lease {
  job_number job = 0;
  lane_pool place;
  /// By ascending token; those that have ended since are in their packs no more.
  std::shared_ptr<const std::vector<leased_retry>> targets;
  timestamp expires_at;
};

/// The packs of some targets, each once.
std::vector<pack_number> packs_of(const std::vector<leased_retry>& targets);

/// Who has a lease on which packs of retries. In memory alone: leases of earlier boots are void, so
/// that a crash forgets what nobody holds any more. The writer's thread changes it: leases begin
/// with a claim and end with a pack after the commit of what they come of, so that a rollback
/// changes nothing. Thread-safe.
class retry_leases {
public:
  /// After the claim's commit.
  void begin(std::uint64_t epoch, job_number job, const lane_pool& place,
             std::vector<leased_retry> targets, timestamp expires_at);

  bool is_leased(pack_number pack) const;
  /// Nothing if it is not held.
  std::optional<retry_lease> find(job_number job, std::uint64_t epoch) const;
  std::vector<retry_lease> find_all(job_number job, pool_code pool) const;
  std::vector<pack_number> packs_in(const lane_pool& place) const;

  /// After the commit of the outcomes that emptied the packs.
  void end(const std::vector<pack_number>& packs);
  bool renew(job_number job, std::uint64_t epoch, timestamp expires_at); ///< false: not held
  bool release(job_number job, std::uint64_t epoch);                     ///< false: not held
  /// Ends those that end by `now`; whether there were any.
  bool expire(timestamp now);
  timestamp next_expiry() const; ///< timestamp::max() without leases
  void put_back(std::chrono::milliseconds by);

private:
  struct held {
    retry_lease lease;
    std::vector<pack_number> packs; ///< that have not ended
  };
  using leases = std::unordered_map<std::uint64_t, held>;

  leases::iterator drop(leases::iterator at);

  mutable std::mutex mutex_;
  leases leases_;                                        ///< by epoch
  std::unordered_map<pack_number, std::uint64_t> packs_; ///< their epochs
};

} // namespace signalbox::sqlite
