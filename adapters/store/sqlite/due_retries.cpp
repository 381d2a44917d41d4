#include "adapters/store/sqlite/due_retries.hpp"

namespace signalbox::sqlite {

namespace {

constexpr int most_leased = 256;

// False when the visitor has enough.
bool visit_rows(rows& found, const retry_leases& leases,
                const std::function<bool(const due_pack&)>& visit) {
  while (found.next()) {
    const due_pack due{found.time(0), found.integer(1)};
    if (!leases.is_leased(due.n) && !visit(due))
      return false;
  }
  return true;
}

} // namespace

void visit_due_packs(connection& database, const retry_leases& leases, const lane_pool& place,
                     timestamp now, const retry_cursor& after,
                     const std::function<bool(const due_pack&)>& visit) {
  const auto& [lane, app, pool] = place;
  // The rest of the same moment first: SQLite takes a row value's first member alone for the start
  // of a range, and a whole burst may be due at one moment.
  if (after.run_at <= now) {
    auto found = database.query("SELECT run_at, n FROM retries INDEXED BY retries_due "
                                "WHERE parked = 0 AND lane = ? AND app = ? AND pool = ? "
                                "AND run_at = ? AND n > ? ORDER BY n",
                                lane, app, pool, after.run_at, after.pack);
    if (!visit_rows(found, leases, visit))
      return;
  }
  auto found = database.query("SELECT run_at, n FROM retries INDEXED BY retries_due "
                              "WHERE parked = 0 AND lane = ? AND app = ? AND pool = ? "
                              "AND run_at > ? AND run_at <= ? ORDER BY run_at, n",
                              lane, app, pool, after.run_at, now);
  visit_rows(found, leases, visit);
}

bool has_due_retry(connection& database, const retry_leases& leases, const lane_pool& place,
                   timestamp now, const retry_cursor& after) {
  bool found = false;
  visit_due_packs(database, leases, place, now, after, [&](const due_pack&) {
    found = true;
    return false;
  });
  return found;
}

std::optional<job_turn> next_turn(connection& database, const retry_leases& leases,
                                  const lane_pool& place, timestamp now, job_number after) {
  const auto& [lane, app, pool] = place;
  auto found = database.query("SELECT job, run_at, n FROM retries INDEXED BY retries_by_turn "
                              "WHERE parked = 0 AND lane = ? AND app = ? AND pool = ? AND job > ? "
                              "ORDER BY job, run_at, n LIMIT ?",
                              lane, app, pool, after, most_leased);
  if (!found.next())
    return std::nullopt;
  job_turn turn{found.integer(0), {}};
  do {
    if (found.integer(0) != turn.job || found.time(1) > now)
      break;
    if (!leases.is_leased(found.integer(2)))
      turn.due = found.integer(2);
  } while (!turn.due && found.next());
  return turn;
}

} // namespace signalbox::sqlite
