#pragma once

#include "adapters/store/sqlite/changes.hpp"
#include "adapters/store/sqlite/connection.hpp"
#include "adapters/store/sqlite/job_cache.hpp"
#include "adapters/store/sqlite/lane_names.hpp"
#include "adapters/store/sqlite/loading_leases.hpp"
#include "adapters/store/sqlite/options.hpp"
#include "adapters/store/sqlite/pauses.hpp"
#include "adapters/store/sqlite/plan_ahead.hpp"
#include "adapters/store/sqlite/pool.hpp"
#include "adapters/store/sqlite/retry_leases.hpp"
#include "adapters/store/sqlite/turn_waits.hpp"

#include <atomic>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>

namespace signalbox::sqlite {

/// What every thread of the store shares.
struct shared_state {
  sqlite_options options;
  std::int64_t owner = 0; ///< this boot's row: the owner of its leases
  lane_names lanes;
  job_facts_cache facts;
  pause_list pauses;
  sqlite::retry_leases retry_leases;
  loading_leases loading;
  turn_waits waits;
  plan_ahead ahead;
  change_notes changes;
  std::atomic<int> renewals_waiting{0}; ///< for the writer
  /// Rises when rows that a job may have been resolved to are taken away.
  std::atomic<std::uint64_t> directory_generation{0};

  timestamp now() const { return options.now(); }
};

/// Where the last claim of a destination's due retries stopped, in the order of the index: the next
/// one need not pass by all that is leased again.
struct retry_cursor {
  timestamp run_at;
  pack_number pack = 0;
  timestamp started_at; ///< when claims began at the oldest row
};

/// How far the lane's finished jobs have been looked through for old ones.
struct retention_place {
  job_number looked_at = 0;
  timestamp next_round; ///< not before
};

/// How far bindings have been looked through for activities that never came.
struct stray_place {
  app_id app = 0;
  std::string activity;
};

/// What only the writer's thread touches. All of it can be lost: places for taking turns, numbers
/// that rise, and caches of what the tables say.
struct writer_state {
  std::uint64_t epoch = 0;
  job_number next_job = 1;
  two_age_map<job_id, job_number> jobs{1 << 14};
  std::map<lane_pool, job_number> last_claimed; ///< claims go on with the job after it
  std::map<lane_number, std::size_t> claim_turn;
  /// Emptied by whatever may make a pack claimable behind one.
  std::map<lane_pool, retry_cursor> retry_cursors;
  /// Where the last claim left due retries behind: the job that had its turn last.
  std::map<lane_pool, job_number> retry_turns;
  std::set<lane_pool> chunks_first; ///< where retries have just left no budget for new work
  std::map<lane_number, job_number> last_checked; ///< by the sweeper, for missed completions
  timestamp next_lease_expiry = timestamp::max(); ///< no lease ends before
  timestamp renewal_failed_at;                    ///< the last time that one did
  timestamp clock;      ///< the latest time that leases were written at (clock.hpp)
  timestamp kept_clock; ///< the same, as the database knows it
  std::optional<pack_number> waits_corrected_to; ///< after the clock was put back
  std::optional<job_number> unparked_to = 0;     ///< after a resume (parking.hpp)
  std::map<lane_number, retention_place> retention;
  stray_place stray_bindings;
  std::set<job_number> set_aside; ///< jobs that the sweeper cannot write

  /// After a rollback: what was noted as done may not be.
  void look_again();
};

/// The epoch for all that one transaction claims.
std::uint64_t next_epoch(connection& database, writer_state& state);

/// The number of a job's row; nothing if it does not exist.
std::optional<job_number> find_job(connection& database, writer_state& state, const job_id& id);

} // namespace signalbox::sqlite
