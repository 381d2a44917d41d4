#pragma once

#include "adapters/store/sqlite/ledger_state.hpp"
#include "messages/ledger.hpp"

#include <vector>

namespace signalbox::sqlite {

/// Writes outcomes (SPEC 3, A flush) in the writer's transaction. Each batch is fenced by its
/// work's owner and epoch; only newly set bits, and retries in packs leased under the work's epoch,
/// count. The leases of the packs in `ended` end after the commit: until then the flush may be
/// repeated. Batches of one chunk share one read and one write of its row; what is to be retried
/// goes into packs at the end, of whatever batches it comes.
///
/// A row that the database refuses for its own sake never stops the others: its target is counted
/// all the same (*rejected*, if it was to be retried) and is in `faulty`. What is wrong with a
/// whole work throws; then, after a rollback, `one_by_one` writes every work that can be written.
flush_result flush_outcomes(connection& database, shared_state& shared, writer_state& state,
                            const std::vector<outcome_batch>& batches,
                            std::vector<pack_number>& ended, bool one_by_one = false);

} // namespace signalbox::sqlite
