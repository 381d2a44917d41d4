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

} // namespace signalbox::sqlite
