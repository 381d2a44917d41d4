#include "adapters/store/sqlite/due_retries.hpp"

namespace signalbox::sqlite {

namespace {

// False when the visitor has enough.
bool visit_rows(rows& found, const retry_leases& leases,
                const std::function<bool(const due_retry&)>& visit) {
  while (found.next()) {
    const retry_place place{found.integer(1), found.integer(2)};
    if (leases.is_leased(place))
      continue;
    if (!visit({{found.time(0), place.job, place.token, {}},
                {place.token, static_cast<std::uint32_t>(found.integer(4)),
                 static_cast<std::uint16_t>(found.integer(5)), found.integer(6) != 0,
                 static_cast<std::uint32_t>(found.integer(3))}}))
      return false;
  }
  return true;
}

} // namespace

void visit_due_retries(connection& database, const retry_leases& leases, const lane_pool& place,
                       timestamp now, const retry_cursor& after,
                       const std::function<bool(const due_retry&)>& visit) {
  const auto& [lane, app, pool] = place;
  // The rest of the same moment first: SQLite takes a row value's first member alone for the start
  // of a range, and a whole burst may be due at one moment.
  if (after.run_at <= now) {
    auto found = database.query(
      "SELECT run_at, job, token, seq, position, attempts, sent FROM retries "
      "INDEXED BY retries_due WHERE parked = 0 AND lane = ? AND app = ? AND pool = ? "
      "AND run_at = ? AND (job, token) > (?, ?) ORDER BY job, token",
      lane, app, pool, after.run_at, after.job, after.token);
    if (!visit_rows(found, leases, visit))
      return;
  }
  auto found =
    database.query("SELECT run_at, job, token, seq, position, attempts, sent FROM retries "
                   "INDEXED BY retries_due WHERE parked = 0 AND lane = ? AND app = ? AND pool = ? "
                   "AND run_at > ? AND run_at <= ? ORDER BY run_at, job, token",
                   lane, app, pool, after.run_at, now);
  visit_rows(found, leases, visit);
}

bool has_due_retry(connection& database, const retry_leases& leases, const lane_pool& place,
                   timestamp now, const retry_cursor& after) {
  bool found = false;
  visit_due_retries(database, leases, place, now, after, [&](const due_retry&) {
    found = true;
    return false;
  });
  return found;
}

} // namespace signalbox::sqlite
