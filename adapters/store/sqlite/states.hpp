#pragma once

#include "actors/job_states.hpp"
#include "adapters/store/sqlite/connection.hpp"
#include "adapters/store/sqlite/job_cache.hpp"

#include <string_view>

namespace signalbox::sqlite {

/// Writes a state change that actors/job_states allows, guarded by the state it leaves. What was
/// not done says why: no_op or refused.
transition change_status(connection& database, job_number job, job_status from, job_status to);

/// The same for an end other than COMPLETED: planning stops, and what was planned is the total.
transition end_job(connection& database, job_number job, job_status from, job_status to);

/// Why the targets of a job that ended so were not sent, as receipts and outcomes say it.
std::string_view end_reason(job_status status);

} // namespace signalbox::sqlite
