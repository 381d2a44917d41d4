#pragma once

#include "adapters/store/sqlite/ledger_state.hpp"
#include "messages/ledger.hpp"

#include <string>

namespace signalbox::sqlite {

/// Counts what waits in a lane and is not paused. On a reader: the counts go through whole indexes.
backlog measure_backlog(connection& database, shared_state& shared, const std::string& lane);

} // namespace signalbox::sqlite
