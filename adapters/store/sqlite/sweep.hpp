#pragma once

#include "adapters/store/sqlite/ledger_state.hpp"
#include "messages/ledger.hpp"

#include <optional>

namespace signalbox::sqlite {

struct lane_sweep {
  sweep_result result;
  std::optional<job_number> unclosed; ///< an ended job with more to close at once
};

/// One bounded pass of a lane's sweeper, in the writer's transaction: scheduled jobs that are due
/// become QUEUED, QUEUED jobs past their deadline EXPIRED, lapsed leases free; ended jobs are
/// closed a slice further; completions that were missed are made up for.
lane_sweep sweep_lane(connection& database, shared_state& shared, writer_state& state,
                      const sweep_request& request);

} // namespace signalbox::sqlite
