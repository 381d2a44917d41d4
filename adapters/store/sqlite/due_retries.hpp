#pragma once

#include "adapters/store/sqlite/connection.hpp"
#include "adapters/store/sqlite/ledger_state.hpp"
#include "adapters/store/sqlite/retry_leases.hpp"

#include <functional>

namespace signalbox::sqlite {

/// A pack that is due: its place in the order that claims go by.
struct due_pack {
  timestamp run_at;
  pack_number n = 0;
};

/// Visits the due packs of a destination behind `after` that are neither leased nor parked, the
/// longest due first, until `visit` returns false.
void visit_due_packs(connection& database, const retry_leases& leases, const lane_pool& place,
                     timestamp now, const retry_cursor& after,
                     const std::function<bool(const due_pack&)>& visit);

bool has_due_retry(connection& database, const retry_leases& leases, const lane_pool& place,
                   timestamp now, const retry_cursor& after = {});

} // namespace signalbox::sqlite
