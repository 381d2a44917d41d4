#pragma once

#include "adapters/store/sqlite/ledger_state.hpp"
#include "messages/ledger.hpp"

#include <vector>

namespace signalbox::sqlite {

/// Sets the sent bits of chunks and the sent flags of retries, fenced by their leases, in the
/// writer's transaction. One answer a mark: whether the lease was held for all of it.
std::vector<bool> mark_sent(connection& database, const shared_state& shared, writer_state& state,
                            const std::vector<sent_mark>& marks);

/// Takes an attempt back from each retry that still waits; none falls below 0.
void refund_attempts(connection& database, writer_state& state,
                     const std::vector<retry_ref>& retries);

} // namespace signalbox::sqlite
