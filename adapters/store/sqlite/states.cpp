#include "adapters/store/sqlite/states.hpp"

namespace signalbox::sqlite {

transition change_status(connection& database, job_number job, job_status from, job_status to) {
  const auto verdict = check_transition(from, to);
  if (verdict == transition::apply)
    database.execute("UPDATE jobs SET status = ? WHERE n = ? AND status = ?", to, job, from);
  return verdict;
}

transition end_job(connection& database, job_number job, job_status from, job_status to) {
  const auto verdict = check_transition(from, to);
  if (verdict != transition::apply)
    return verdict;
  database.execute("UPDATE jobs SET status = ?, plan_done = 1, total = planned "
                   "WHERE n = ? AND status = ?",
                   to, job, from);
  database.execute("DELETE FROM job_scopes WHERE job = ?", job);
  return verdict;
}

std::string_view end_reason(job_status status) {
  switch (status) {
  case job_status::expired:
    return "expired";
  case job_status::superseded:
    return "superseded";
  case job_status::failed:
    return "failed";
  default:
    return "cancelled";
  }
}

} // namespace signalbox::sqlite
