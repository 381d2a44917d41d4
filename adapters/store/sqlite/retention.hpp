#pragma once

#include "adapters/store/sqlite/ledger_state.hpp"
#include "messages/ledger.hpp"

#include <cstddef>
#include <functional>

namespace signalbox::sqlite {

struct retention_result {
  std::size_t deleted = 0; ///< jobs and dead letters
  std::size_t faulty = 0;  ///< jobs that could not be deleted: set aside
  bool more = false;       ///< there is more to delete at once
};

/// One bounded slice of deleting what is old enough: finished jobs of the lane with their chunks
/// and receipts, oldest first, and dead letters. Jobs are looked through in their order of
/// creation, in rounds some minutes apart: no index has to be kept for it. `is_over` ends the slice
/// early.
retention_result delete_old(connection& database, writer_state& state, lane_number lane,
                            const sweep_request& request, timestamp now,
                            const std::function<bool()>& is_over);

} // namespace signalbox::sqlite
