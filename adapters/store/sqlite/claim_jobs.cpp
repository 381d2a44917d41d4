#include "adapters/store/sqlite/claim_jobs.hpp"

#include "adapters/store/sqlite/completion.hpp"
#include "adapters/store/sqlite/parking.hpp"
#include "adapters/store/sqlite/states.hpp"

namespace signalbox::sqlite {

namespace {

// One claim passes by so many jobs that have ended, which somebody is closing already, and rows
// that cannot be taken.
constexpr std::size_t most_passed_by = 500;
// And parks so many rows of paused jobs and retries of jobs that have ended.
constexpr std::size_t most_parked = 2'000;

} // namespace

claim_job& claim_jobs::operator[](job_number job) {
  const auto known = jobs_.find(job);
  if (known != jobs_.end())
    return known->second;
  bool is_late = false;
  auto found =
    database_.query("SELECT id, status, deadline, scope_kind FROM jobs WHERE n = ?", job);
  auto& made = jobs_[job];
  if (found.next()) {
    made.id = found.id(0);
    made.status = found.as<job_status>(1);
    made.is_dispatch = found.as<scope_kind>(3) == scope_kind::activity;
    state_.jobs.put(made.id, job);
    is_late = made.status == job_status::queued && !found.is_null(2) && found.time(2) <= now_;
  } else {
    made.status = job_status::failed; // claims nothing
  }
  if (shared_.pauses.has_any_of_jobs())
    made.traits = traits_of(database_, job);
  return is_late ? expire(job, made) : made;
}

// Ended here, so that after an outage claims do not pass by the same late jobs again and again
// until the sweeper has come to them.
claim_job& claim_jobs::expire(job_number job, claim_job& late) {
  end_job(database_, job, job_status::queued, job_status::expired);
  close_slice(database_, shared_.retry_leases, job, now_);
  late.status = job_status::expired;
  return late;
}

bool claim_jobs::is_paused(const claim_job& job, pool_code pool) const {
  return job.traits && shared_.pauses.covers(*job.traits, pool);
}

bool claim_jobs::has_parked_enough() const {
  return parked_ >= most_parked;
}

bool claim_jobs::has_enough() const {
  return passed_by_ >= most_passed_by || has_parked_enough();
}

} // namespace signalbox::sqlite
