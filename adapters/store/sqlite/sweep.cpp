#include "adapters/store/sqlite/sweep.hpp"

#include "adapters/store/sqlite/clock.hpp"
#include "adapters/store/sqlite/completion.hpp"
#include "adapters/store/sqlite/destinations.hpp"
#include "adapters/store/sqlite/due_retries.hpp"
#include "adapters/store/sqlite/leases.hpp"
#include "adapters/store/sqlite/parking.hpp"
#include "adapters/store/sqlite/retention.hpp"
#include "adapters/store/sqlite/savepoint.hpp"
#include "adapters/store/sqlite/statement_limit.hpp"
#include "adapters/store/sqlite/states.hpp"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <array>
#include <utility>

namespace signalbox::sqlite {

namespace {

using clock = std::chrono::steady_clock;

// Ended jobs that only wait for what is claimed are passed by, a few look-ups each.
constexpr std::size_t most_closing_jobs = 256;
constexpr std::size_t most_set_aside = 10'000;

template <class... Args>
std::vector<job_number> jobs_of(connection& database, const char* sql, const Args&... args) {
  std::vector<job_number> list;
  auto found = database.query(sql, args...);
  while (found.next())
    list.push_back(found.integer(0));
  return list;
}

} // namespace

sweep_pass::sweep_pass(shared_state& shared, writer_state& state, sweep_request request)
  : shared_{shared}, state_{state}, request_{std::move(request)} {
  request_.limit = std::max<std::size_t>(1, request_.limit);
}

void sweep_pass::run(connection& database) {
  static constexpr std::array<void (sweep_pass::*)(connection&), step_count> steps{
    &sweep_pass::follow_time,     &sweep_pass::release_due,     &sweep_pass::expire_late,
    &sweep_pass::end_leases,      &sweep_pass::unpark,          &sweep_pass::close_ended,
    &sweep_pass::complete_missed, &sweep_pass::delete_old_rows, &sweep_pass::look_for_work};
  step_result_ = result_;
  const auto lane = shared_.lanes.find(database, request_.lane);
  if (!lane)
    return;
  lane_ = *lane;
  now_ = shared_.now();
  const auto begun = clock::now();
  const auto& times = shared_.options.sweep;
  step_end_ = begun + std::max<clock::duration>(times.pass - worked_, times.step);
  const statement_limit limit{database, times.limit};
  (this->*steps[step_])(database);
  worked_ += clock::now() - begun;
}

bool sweep_pass::finish_step(errc code, const std::string& message) {
  ++step_;
  if (code == errc::ok) {
    result_ = step_result_;
    return true;
  }
  if (code != errc::busy && code != errc::conflict && code != errc::internal)
    return false;
  ++result_.faulty;
  spdlog::error("event=sweep_step_failed lane={} step={} error={:?}", request_.lane, step_,
                message);
  return true;
}

bool sweep_pass::is_over() const {
  return clock::now() >= step_end_;
}

template <class Work>
std::size_t sweep_pass::each(connection& database, const std::vector<job_number>& jobs, Work work) {
  std::size_t count = 0;
  for (const auto job : jobs) {
    if (state_.set_aside.count(job) != 0)
      continue;
    if (count > 0 && is_over()) {
      step_result_.more = true;
      return count;
    }
    ++count;
    if (const auto error = try_part(database, [&] { work(job); }))
      set_aside(database, job, *error);
  }
  return count;
}

void sweep_pass::set_aside(connection& database, job_number job, const std::string& error) {
  ++step_result_.faulty;
  spdlog::error("event=job_set_aside lane={} job_number={} error={:?}", request_.lane, job, error);
  const auto failed = try_part(database, [&] {
    const auto status = database.value("SELECT status FROM jobs WHERE n = ?", job).value_or(0);
    if (end_job(database, job, static_cast<job_status>(status), job_status::failed) !=
        transition::apply)
      throw failure{0, "the job cannot be ended"};
  });
  if (failed && state_.set_aside.size() < most_set_aside)
    state_.set_aside.insert(job);
}

void sweep_pass::follow_time(connection& database) {
  follow_clock(database, shared_, state_, now_);
  step_result_.more |= correct_waits(database, state_, now_, request_.limit);
}

void sweep_pass::release_due(connection& database) {
  const auto due = jobs_of(database,
                           "SELECT n FROM jobs INDEXED BY jobs_scheduled WHERE status = 1 "
                           "AND lane = ? AND not_before <= ? ORDER BY not_before LIMIT ?",
                           lane_, now_, request_.limit + state_.set_aside.size());
  const auto count = each(database, due, [&](job_number job) {
    change_status(database, job, job_status::scheduled, job_status::queued);
    ++step_result_.released;
  });
  step_result_.more |= count >= request_.limit;
}

void sweep_pass::expire_late(connection& database) {
  const auto late =
    jobs_of(database,
            "SELECT n FROM jobs INDEXED BY jobs_by_deadline WHERE status = 2 "
            "AND deadline IS NOT NULL AND lane = ? AND deadline <= ? ORDER BY deadline LIMIT ?",
            lane_, now_, request_.limit + state_.set_aside.size());
  const auto count = each(database, late, [&](job_number job) {
    end_job(database, job, job_status::queued, job_status::expired);
    ++step_result_.expired;
  });
  step_result_.more |= count >= request_.limit;
}

void sweep_pass::end_leases(connection& database) {
  step_result_.faulty += expire_leases(database, shared_, state_, now_);
}

void sweep_pass::unpark(connection& database) {
  step_result_.more |= unpark_slice(database, shared_, state_, request_.limit);
}

void sweep_pass::close_ended(connection& database) {
  const auto ended = jobs_of(database,
                             "SELECT n FROM jobs INDEXED BY jobs_ended WHERE status > 5 "
                             "AND lane = ? AND (completed_at IS NULL) = 1 LIMIT ?",
                             lane_, most_closing_jobs + state_.set_aside.size());
  close_each(database, ended, close_slice);
}

bool sweep_pass::is_held(connection& database, job_number job) const {
  const auto traits = traits_of(database, job);
  return traits && std::any_of(all_pools.begin(), all_pools.end(), [&](pool_code pool) {
           return shared_.pauses.covers(*traits, pool);
         });
}

void sweep_pass::close_each(connection& database, const std::vector<job_number>& jobs,
                            close_one close) {
  std::size_t closed = 0;
  bool begun = false;
  each(database, jobs, [&](job_number job) {
    for (bool more = true; more; begun = true) {
      if (closed >= request_.limit || (begun && is_over())) {
        step_result_.more = true;
        return;
      }
      const auto slice = close(database, shared_.retry_leases, job, now_);
      closed += slice.targets;
      more = slice.more;
    }
  });
  step_result_.skipped += closed;
}

void sweep_pass::complete_missed(connection& database) {
  auto& last = state_.last_checked[lane_];
  std::vector<job_number> candidates;
  std::vector<job_number> late;
  std::size_t seen = 0;
  {
    auto found =
      database.query("SELECT n, status IN (3, 4) AND plan_done, status IN (3, 4) AND deadline <= ? "
                     "FROM jobs INDEXED BY jobs_open "
                     "WHERE completed_at IS NULL AND lane = ? AND n > ? ORDER BY n LIMIT ?",
                     now_, lane_, last, request_.limit);
    for (; found.next(); ++seen) {
      last = found.integer(0);
      if (found.integer(2) != 0 && !shared_.pauses.is_empty())
        late.push_back(last);
      if (found.integer(1) != 0)
        candidates.push_back(last);
    }
  }
  if (seen < request_.limit)
    last = 0;
  // Of others that are late, whoever claims the rest counts it.
  std::erase_if(late, [&](job_number job) { return !is_held(database, job); });
  close_each(database, late, expire_slice);
  each(database, candidates, [&](job_number job) {
    step_result_.completed += try_complete(database, job, now_) ? 1 : 0;
  });
}

void sweep_pass::delete_old_rows(connection& database) {
  const auto old =
    delete_old(database, state_, lane_, request_, now_, [this] { return is_over(); });
  step_result_.deleted += old.deleted;
  step_result_.faulty += old.faulty;
  step_result_.more |= old.more;
}

void sweep_pass::look_for_work(connection& database) {
  const auto is_open = [&](const app_pool& dest) {
    return !shared_.pauses.covers(request_.lane, dest.first, dest.second);
  };
  const auto has_open = [&](const std::set<app_pool>& dests) {
    return std::any_of(dests.begin(), dests.end(), is_open);
  };
  step_result_.plan_due = database
                            .value("SELECT 1 FROM jobs INDEXED BY jobs_to_plan WHERE plan_done = 0 "
                                   "AND status IN (2, 3) AND lane = ? LIMIT 1",
                                   lane_)
                            .has_value();
  auto due = destinations_with_retries(database, lane_);
  std::erase_if(due, [&](const app_pool& dest) {
    const lane_pool place{lane_, dest.first, dest.second};
    return !has_due_retry(database, shared_.retry_leases, place, now_);
  });
  step_result_.work_due = has_open(destinations_with_chunks(database, lane_)) || has_open(due);
}

} // namespace signalbox::sqlite
