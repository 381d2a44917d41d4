#pragma once

#include "adapters/store/sqlite/connection.hpp"
#include "adapters/store/sqlite/ledger_state.hpp"
#include "adapters/store/sqlite/retry_leases.hpp"

#include <functional>
#include <optional>

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

/// A job with packs that are not parked, and the longest due one of them, if it has one.
struct job_turn {
  job_number job = 0;
  std::optional<pack_number> due;
};

/// The next of a destination's jobs behind `after`. Of what is leased so much is passed by at most:
/// a job may have more, and has its turn again.
std::optional<job_turn> next_turn(connection& database, const retry_leases& leases,
                                  const lane_pool& place, timestamp now, job_number after);

} // namespace signalbox::sqlite
