#include "adapters/store/sqlite/backlog.hpp"

#include "adapters/store/sqlite/destinations.hpp"
#include "adapters/store/sqlite/due_retries.hpp"
#include "adapters/store/sqlite/retry_packs.hpp"

#include <algorithm>
#include <filesystem>
#include <string>

namespace signalbox::sqlite {

namespace {

// Beyond so many scheduled jobs at the head of a destination the age is that of the oldest of them.
constexpr int most_jobs_looked_at = 256;

std::int64_t size_of(const std::string& path) {
  std::error_code error;
  const auto size = std::filesystem::file_size(path, error);
  return error ? 0 : static_cast<std::int64_t>(size);
}

class lane_backlog {
public:
  lane_backlog(connection& database, const shared_state& shared, const std::string& name,
               lane_number lane)
    : database_{database}, pauses_{shared.pauses}, leases_{shared.retry_leases}, name_{name},
      lane_{lane}, now_{shared.now()} {}

  backlog count() {
    for (const auto& dest : destinations_with_chunks(database_, lane_))
      if (!is_paused(dest))
        count_chunks(dest);
    for (const auto& dest : destinations_with_retries(database_, lane_))
      if (!is_paused(dest))
        count_retries(dest);
    counted_.scheduled_jobs =
      database_
        .value("SELECT COUNT(*) FROM jobs INDEXED BY jobs_scheduled WHERE status = 1 AND lane = ?",
               lane_)
        .value_or(0);
    return counted_;
  }

private:
  bool is_paused(const app_pool& dest) const {
    return pauses_.covers(name_, dest.first, dest.second);
  }

  void count_chunks(const app_pool& dest) {
    counted_.ready_chunks +=
      *database_.value("SELECT COUNT(*) FROM chunks INDEXED BY chunks_ready WHERE status = 1 "
                       "AND lane = ? AND app = ? AND pool = ?",
                       lane_, dest.first, dest.second);
    // Jobs are numbered as they are created: behind the first that is not scheduled none is older.
    job_number job = 0;
    for (int looked_at = 0; looked_at < most_jobs_looked_at; ++looked_at) {
      const auto next =
        database_.value("SELECT job FROM chunks INDEXED BY chunks_ready WHERE status = 1 "
                        "AND lane = ? AND app = ? AND pool = ? AND job > ? ORDER BY job LIMIT 1",
                        lane_, dest.first, dest.second, job);
      if (!next)
        return;
      job = *next;
      auto found = database_.query("SELECT created_at, not_before FROM jobs WHERE n = ?", job);
      if (!found.next())
        continue;
      note_due(found.optional_time(1).value_or(found.time(0)));
      if (found.is_null(1))
        return;
    }
  }

  // What is leased was due when it was claimed.
  void count_retries(const app_pool& dest) {
    const lane_pool place{lane_, dest.first, dest.second};
    {
      auto found = database_.query("SELECT SUM(size), SUM(size * (run_at <= ?1)) FROM retries "
                                   "INDEXED BY retries_due WHERE parked = 0 AND lane = ?2 "
                                   "AND app = ?3 AND pool = ?4",
                                   now_, lane_, dest.first, dest.second);
      if (!found.next())
        return;
      const auto due = found.integer(1);
      const auto leased = size_of_packs(database_, leases_.packs_in(place));
      counted_.due_retries += due - std::min(due, leased);
      counted_.waiting_retries += found.integer(0) - due;
    }
    visit_due_packs(database_, leases_, place, now_, {}, [this](const due_pack& oldest) {
      note_due(oldest.run_at);
      return false;
    });
  }

  void note_due(timestamp since) {
    counted_.oldest_due_age = std::max(counted_.oldest_due_age, now_ - since);
  }

  connection& database_;
  const pause_list& pauses_;
  const retry_leases& leases_;
  const std::string& name_;
  lane_number lane_;
  timestamp now_;
  backlog counted_;
};

} // namespace

backlog measure_backlog(connection& database, shared_state& shared, const std::string& lane_name) {
  backlog counted;
  if (const auto lane = shared.lanes.find(database, lane_name))
    counted = lane_backlog{database, shared, lane_name, *lane}.count();
  counted.dead_letters =
    database.value("SELECT value FROM counters WHERE name = 'dead_letters'").value_or(0);
  counted.store_bytes = size_of(shared.options.path);
  counted.store_log_bytes = size_of(shared.options.path + "-wal");
  counted.pauses = database.value("SELECT COUNT(*) FROM pauses").value_or(0);
  return counted;
}

} // namespace signalbox::sqlite
