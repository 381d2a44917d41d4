#include "adapters/store/sqlite/sweep.hpp"

#include "adapters/store/sqlite/completion.hpp"
#include "adapters/store/sqlite/destinations.hpp"
#include "adapters/store/sqlite/leases.hpp"
#include "adapters/store/sqlite/states.hpp"

#include <vector>

namespace signalbox::sqlite {

namespace {

// Ended jobs that only wait for what is claimed are passed by, a few look-ups each.
constexpr std::size_t most_closing_jobs = 256;

class lane_sweeper {
public:
  lane_sweeper(connection& database, shared_state& shared, writer_state& state, lane_number lane,
               std::size_t limit)
    : database_{database}, state_{state}, lane_{lane}, limit_{limit}, now_{shared.now()} {}

  lane_sweep sweep() {
    release_due();
    expire_late();
    expire_leases(database_, state_, now_);
    close_ended();
    complete_missed();
    look_for_work();
    return {result_, unclosed_};
  }

private:
  template <class... Args>
  std::vector<job_number> jobs(const char* sql, const Args&... args) {
    std::vector<job_number> list;
    auto found = database_.query(sql, args...);
    while (found.next())
      list.push_back(found.integer(0));
    return list;
  }

  void release_due() {
    for (const auto job : jobs("SELECT n FROM jobs INDEXED BY jobs_scheduled WHERE status = 1 "
                               "AND lane = ? AND not_before <= ? ORDER BY not_before LIMIT ?",
                               lane_, now_, limit_)) {
      change_status(database_, job, job_status::scheduled, job_status::queued);
      ++result_.released;
    }
  }

  void expire_late() {
    for (const auto job :
         jobs("SELECT n FROM jobs INDEXED BY jobs_by_deadline WHERE status = 2 "
              "AND deadline IS NOT NULL AND lane = ? AND deadline <= ? ORDER BY deadline LIMIT ?",
              lane_, now_, limit_))
      end_job(database_, job, job_status::queued, job_status::expired);
  }

  void close_ended() {
    for (const auto job : jobs("SELECT n FROM jobs INDEXED BY jobs_closing WHERE status > 5 "
                               "AND completed_at IS NULL AND lane = ? ORDER BY n LIMIT ?",
                               lane_, most_closing_jobs)) {
      const auto slice = close_slice(database_, job, now_);
      result_.skipped += slice.targets;
      if (slice.more)
        unclosed_ = job;
      if (slice.more || result_.skipped >= limit_)
        return;
    }
  }

  void complete_missed() {
    auto& last = state_.last_checked[lane_];
    std::vector<job_number> candidates;
    std::size_t seen = 0;
    {
      auto found =
        database_.query("SELECT n, status IN (3, 4) AND plan_done FROM jobs INDEXED BY jobs_open "
                        "WHERE completed_at IS NULL AND lane = ? AND n > ? ORDER BY n LIMIT ?",
                        lane_, last, limit_);
      for (; found.next(); ++seen) {
        last = found.integer(0);
        if (found.integer(1) != 0)
          candidates.push_back(last);
      }
    }
    if (seen < limit_)
      last = 0;
    for (const auto job : candidates)
      result_.completed += try_complete(database_, job, now_) ? 1 : 0;
  }

  void look_for_work() {
    result_.plan_due = exists("SELECT 1 FROM jobs INDEXED BY jobs_to_plan WHERE plan_done = 0 "
                              "AND status IN (2, 3) AND lane = ? LIMIT 1");
    result_.work_due = exists("SELECT 1 FROM chunks INDEXED BY chunks_ready WHERE status = 1 "
                              "AND lane = ? LIMIT 1") ||
                       !destinations_with_retries(database_, lane_, now_).empty();
  }

  bool exists(const char* sql) { return database_.value(sql, lane_).has_value(); }

  connection& database_;
  writer_state& state_;
  lane_number lane_;
  std::size_t limit_;
  timestamp now_;
  sweep_result result_;
  std::optional<job_number> unclosed_;
};

} // namespace

lane_sweep sweep_lane(connection& database, shared_state& shared, writer_state& state,
                      const sweep_request& request) {
  const auto lane = shared.lanes.find(database, request.lane);
  if (!lane)
    return {};
  return lane_sweeper{database, shared, state, *lane, request.limit}.sweep();
}

} // namespace signalbox::sqlite
