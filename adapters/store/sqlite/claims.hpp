#pragma once

#include "adapters/store/sqlite/ledger_state.hpp"
#include "adapters/store/sqlite/loading.hpp"
#include "messages/ledger.hpp"

#include <vector>

namespace signalbox::sqlite {

/// What one claim transaction took: loaded by a reader afterwards.
struct claimed_set {
  std::vector<claimed_work> works; ///< due retries first
  lane_number lane = 0;
  timestamp expires_at; ///< their leases
  std::vector<destination> refused;
  bool is_cut_short = false; ///< too much was parked that stood before the rest: claim again
};

/// Claims within the budgets, in the writer's transaction. Touches as many rows as it claims, and
/// one index entry for each destination with work: chunks by taking the next job's first one in
/// turn; retries oldest first, for half of a budget and the rest of a pack. Jobs found too late for
/// their first claim expire. What a pause covers is left out, and parked if it is in the way.
///
/// The leases of retries begin by begin_retry_leases, after the commit.
claimed_set claim_work(connection& database, shared_state& shared, writer_state& state,
                       const claim_request& request);

void begin_retry_leases(shared_state& shared, const claimed_set& claimed);

} // namespace signalbox::sqlite
