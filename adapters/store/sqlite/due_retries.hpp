#pragma once

#include "adapters/store/sqlite/connection.hpp"
#include "adapters/store/sqlite/ledger_state.hpp"
#include "adapters/store/sqlite/loading.hpp"
#include "adapters/store/sqlite/retry_leases.hpp"

#include <functional>

namespace signalbox::sqlite {

/// A retry row that is due, and its place in the order that claims go by.
struct due_retry {
  retry_cursor at;
  claimed_retry row;
};

/// Visits the due rows of a destination behind `after` that are neither leased nor parked, the
/// longest due first, until `visit` returns false.
void visit_due_retries(connection& database, const retry_leases& leases, const lane_pool& place,
                       timestamp now, const retry_cursor& after,
                       const std::function<bool(const due_retry&)>& visit);

bool has_due_retry(connection& database, const retry_leases& leases, const lane_pool& place,
                   timestamp now, const retry_cursor& after = {});

} // namespace signalbox::sqlite
