#pragma once

#include "messages/job.hpp"

#include <cstdint>

namespace signalbox {

/// What asking for a state change comes to.
enum class transition : std::uint8_t {
  apply,   ///< allowed: write it, guarded by the state it leaves
  no_op,   ///< the job is in that state already
  refused, ///< not allowed; a terminal state that came first stands, unknown states are never
           ///< ranked
};

/// SPEC 3, States: SCHEDULED > QUEUED > IN_PROGRESS > DISPATCHED > COMPLETED, never backward, and
/// FAILED, CANCELLED, EXPIRED and SUPERSEDED from any of the open states, except that EXPIRED is
/// only reached before the first claim.
transition check_transition(job_status from, job_status to);

/// Whether the job has ended, however: nothing more is claimed for it. False for unknown values.
bool is_terminal(job_status status);

/// Whether chunks of a job in this state may be claimed.
bool allows_chunk_claims(job_status status);

/// Whether due retries of a job in this state may be claimed.
bool allows_retry_claims(job_status status);

/// Whether a job in this state may be planned on.
bool allows_planning(job_status status);

} // namespace signalbox
