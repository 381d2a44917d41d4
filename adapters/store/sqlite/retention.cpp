#include "adapters/store/sqlite/retention.hpp"

#include "adapters/store/sqlite/activities.hpp"
#include "adapters/store/sqlite/activity_tokens.hpp"
#include "adapters/store/sqlite/clock.hpp"
#include "adapters/store/sqlite/savepoint.hpp"
#include "adapters/store/sqlite/tokens.hpp"
#include "messages/job.hpp"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <utility>
#include <vector>

namespace signalbox::sqlite {

namespace {

constexpr std::chrono::minutes round_every{10};
// Activities whose bindings a pass looks at.
constexpr std::size_t most_strays = 20;

// Rows of one table in slices; true when none is left.
bool delete_rows(connection& database, const char* sql, std::size_t limit, job_number job) {
  return static_cast<std::size_t>(database.execute(sql, job, limit)) < limit;
}

// True when the job is gone.
bool delete_job(connection& database, writer_state& state, job_number job, std::size_t limit) {
  const bool is_bare = delete_rows(database,
                                   "DELETE FROM receipts WHERE job = ?1 AND token IN "
                                   "(SELECT token FROM receipts WHERE job = ?1 LIMIT ?2)",
                                   limit, job) &&
                       delete_rows(database,
                                   "DELETE FROM dead_letters WHERE id IN "
                                   "(SELECT id FROM dead_letters WHERE job = ?1 LIMIT ?2)",
                                   limit, job) &&
                       delete_rows(database,
                                   "DELETE FROM chunks WHERE job = ?1 AND seq IN "
                                   "(SELECT seq FROM chunks WHERE job = ?1 LIMIT ?2)",
                                   limit, job);
  if (!is_bare)
    return false;
  database.execute("DELETE FROM receipt_counts WHERE job = ?", job);
  database.execute("DELETE FROM job_scopes WHERE job = ?", job);
  database.execute("DELETE FROM activity_dispatches WHERE job = ?", job);
  {
    auto found = database.query("SELECT id FROM jobs WHERE n = ?", job);
    if (found.next())
      state.jobs.erase(found.id(0));
  }
  database.execute("DELETE FROM job_references WHERE (app, reference, job) = "
                   "(SELECT app, reference, n FROM jobs WHERE n = ?)",
                   job);
  database.execute("DELETE FROM jobs WHERE n = ?", job);
  return true;
}

class slice {
public:
  slice(connection& database, writer_state& state, lane_number lane, const sweep_request& request,
        timestamp now, const std::function<bool()>& is_over)
    : database_{database}, state_{state}, lane_{lane}, request_{request}, now_{now}, is_over_{
                                                                                       is_over} {}

  retention_result run() {
    delete_letters();
    expire_activities(database_, now_, request_.limit);
    delete_old_activities(database_, now_ - request_.keep_failures, request_.limit);
    delete_expired_tokens(database_, now_, request_.limit);
    result_.more |= delete_unused_tokens(database_, now_ - request_.keep_failures,
                                         request_.limit) == request_.limit;
    delete_stray_bindings(database_, state_.stray_bindings, now_ - request_.keep_jobs, most_strays);
    auto& place = state_.retention[lane_];
    place.next_round = std::min(place.next_round, now_ + round_every); // the clock may step back
    if (now_ >= place.next_round)
      go_round(place);
    return result_;
  }

private:
  // Written while the clock was wrong: it says nothing about what follows, and counts from now on.
  bool is_ahead(timestamp time) const { return time > now_ + clock_tolerance; }

  void delete_letters() {
    std::vector<std::int64_t> old;
    std::vector<std::int64_t> ahead;
    {
      auto found = database_.query("SELECT id, dead_lettered_at FROM dead_letters WHERE id > 0 "
                                   "ORDER BY id LIMIT ?",
                                   request_.limit);
      while (found.next())
        if (is_ahead(found.time(1)))
          ahead.push_back(found.integer(0));
        else if (found.time(1) + request_.keep_failures <= now_)
          old.push_back(found.integer(0));
        else
          break; // younger ones follow
    }
    for (const auto id : ahead)
      database_.execute("UPDATE dead_letters SET dead_lettered_at = ? WHERE id = ?", now_, id);
    for (const auto id : old)
      database_.execute("DELETE FROM dead_letters WHERE id = ?", id);
    result_.deleted += old.size();
    result_.more |= old.size() == request_.limit;
  }

  struct finished_job {
    job_number n;
    bool is_old;
  };

  void go_round(retention_place& place) {
    const auto jobs = jobs_after(place.looked_at);
    bool begun = false;
    for (const auto& job : jobs) {
      if (job.is_old && std::exchange(begun, true) && is_over_()) {
        result_.more = true;
        return;
      }
      if (job.is_old && !remove(job.n))
        return;
      place.looked_at = job.n;
    }
    if (!is_round_over_) {
      result_.more |= result_.deleted > 0;
      return;
    }
    place = {0, now_ + round_every};
  }

  std::vector<finished_job> jobs_after(job_number last) {
    std::vector<finished_job> jobs;
    std::vector<job_number> ahead;
    {
      auto found = database_.query("SELECT n, lane, created_at, completed_at, status, "
                                   "rejected + unknown + expired FROM jobs WHERE n > ? "
                                   "ORDER BY n LIMIT ?",
                                   last, request_.limit);
      is_round_over_ = true;
      while (found.next()) {
        const auto created_at = found.time(2);
        const auto ended_at = found.optional_time(3);
        if (ended_at && (is_ahead(created_at) || is_ahead(*ended_at)))
          ahead.push_back(found.integer(0));
        if (!is_ahead(created_at) &&
            created_at + std::min(request_.keep_jobs, request_.keep_failures) > now_)
          break; // younger ones follow
        const bool has_failed =
          found.as<job_status>(4) == job_status::failed || found.integer(5) > 0;
        const auto keep = has_failed ? request_.keep_failures : request_.keep_jobs;
        jobs.push_back(
          {found.integer(0), found.integer(1) == lane_ && ended_at && *ended_at + keep <= now_});
        is_round_over_ = jobs.size() < request_.limit;
      }
    }
    for (const auto job : ahead)
      database_.execute("UPDATE jobs SET created_at = MIN(created_at, ?1), "
                        "completed_at = MIN(completed_at, ?1) WHERE n = ?2",
                        now_, job);
    return jobs;
  }

  // False when the job has more rows than a slice may delete.
  bool remove(job_number job) {
    if (state_.set_aside.count(job) != 0)
      return true;
    bool is_gone = false;
    const auto error =
      try_part(database_, [&] { is_gone = delete_job(database_, state_, job, request_.limit); });
    if (error) {
      ++result_.faulty;
      state_.set_aside.insert(job);
      spdlog::error("event=job_not_deleted job_number={} error={:?}", job, *error);
      return true;
    }
    result_.deleted += is_gone ? 1 : 0;
    result_.more |= !is_gone;
    return is_gone;
  }

  connection& database_;
  writer_state& state_;
  lane_number lane_;
  const sweep_request& request_;
  timestamp now_;
  const std::function<bool()>& is_over_;
  bool is_round_over_ = false;
  retention_result result_;
};

} // namespace

retention_result delete_old(connection& database, writer_state& state, lane_number lane,
                            const sweep_request& request, timestamp now,
                            const std::function<bool()>& is_over) {
  return slice{database, state, lane, request, now, is_over}.run();
}

} // namespace signalbox::sqlite
