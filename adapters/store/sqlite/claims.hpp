#pragma once

#include "adapters/store/sqlite/ledger_state.hpp"
#include "adapters/store/sqlite/loading.hpp"
#include "messages/ledger.hpp"

#include <vector>

namespace signalbox::sqlite {

/// What one claim transaction took: loaded by a reader afterwards.
struct claimed_set {
  std::vector<claimed_work> works; ///< due retries first
  std::vector<destination> refused;
};

/// Claims within the budgets, in the writer's transaction. Touches as many rows as it claims, and
/// one index entry for each destination with work: chunks by taking the next job's first one in
/// turn; retries oldest first, for at most half of a budget. Jobs found too late for their first
/// claim expire.
claimed_set claim_work(connection& database, shared_state& shared, writer_state& state,
                       const claim_request& request);

} // namespace signalbox::sqlite
