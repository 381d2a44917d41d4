#pragma once

#include "adapters/store/sqlite/ledger_state.hpp"
#include "messages/ledger.hpp"

namespace signalbox::sqlite {

/// One bounded pass of a lane's sweeper, in the writer's transaction: scheduled jobs that are due
/// become QUEUED, QUEUED jobs past their deadline EXPIRED, lapsed leases free; ended jobs are
/// closed a slice further; completions that were missed are made up for.
sweep_result sweep_lane(connection& database, shared_state& shared, writer_state& state,
                        const sweep_request& request);

} // namespace signalbox::sqlite
