#include "actors/job_states.hpp"

namespace signalbox {

namespace {

// Place on the way of a job that is worked on; 0 for the other terminal states and unknown values.
int stage(job_status status) {
  switch (status) {
  case job_status::scheduled:
    return 1;
  case job_status::queued:
    return 2;
  case job_status::in_progress:
    return 3;
  case job_status::dispatched:
    return 4;
  case job_status::completed:
    return 5;
  default:
    return 0;
  }
}

bool is_known(job_status status) {
  return stage(status) != 0 || is_terminal(status);
}

bool is_claimed(job_status status) {
  return stage(status) >= stage(job_status::in_progress);
}

} // namespace

bool is_terminal(job_status status) {
  switch (status) {
  case job_status::completed:
  case job_status::failed:
  case job_status::cancelled:
  case job_status::expired:
  case job_status::superseded:
    return true;
  default:
    return false;
  }
}

transition check_transition(job_status from, job_status to) {
  if (!is_known(from) || !is_known(to))
    return transition::refused;
  if (from == to)
    return transition::no_op;
  if (is_terminal(from))
    return transition::refused;
  if (to == job_status::expired)
    return is_claimed(from) ? transition::refused : transition::apply;
  if (stage(to) == 0)
    return transition::apply;
  if (from == job_status::scheduled && to != job_status::queued)
    return transition::refused;
  return stage(to) > stage(from) ? transition::apply : transition::refused;
}

bool allows_chunk_claims(job_status status) {
  return status == job_status::queued || status == job_status::in_progress;
}

bool allows_retry_claims(job_status status) {
  return allows_chunk_claims(status) || status == job_status::dispatched;
}

bool allows_planning(job_status status) {
  return allows_chunk_claims(status);
}

} // namespace signalbox
