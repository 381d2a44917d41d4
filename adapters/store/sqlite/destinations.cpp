#include "adapters/store/sqlite/destinations.hpp"

namespace signalbox::sqlite {

namespace {

std::optional<app_pool> next_destination(connection& database, const char* sql, lane_number lane,
                                         const app_pool& after) {
  auto found = database.query(sql, lane, after.first, after.second);
  if (!found.next())
    return std::nullopt;
  return app_pool{found.integer(0), static_cast<pool_code>(found.integer(1))};
}

} // namespace

std::set<app_pool> destinations_with_chunks(connection& database, lane_number lane) {
  std::set<app_pool> found;
  app_pool last{0, 0};
  while (const auto next =
           next_destination(database,
                            "SELECT app, pool FROM chunks INDEXED BY chunks_ready WHERE status = 1 "
                            "AND lane = ? AND (app, pool) > (?, ?) ORDER BY app, pool LIMIT 1",
                            lane, last))
    found.insert(last = *next);
  return found;
}

std::set<app_pool> destinations_with_retries(connection& database, lane_number lane,
                                             std::optional<timestamp> due) {
  std::set<app_pool> found;
  app_pool last{0, 0};
  while (const auto next = next_destination(
           database,
           "SELECT app, pool FROM retries INDEXED BY retries_due WHERE epoch IS NULL "
           "AND parked = 0 AND lane = ? AND (app, pool) > (?, ?) ORDER BY app, pool LIMIT 1",
           lane, last)) {
    last = *next;
    if (!due ||
        database.value("SELECT 1 FROM retries INDEXED BY retries_due WHERE epoch IS NULL "
                       "AND parked = 0 AND lane = ? AND app = ? AND pool = ? AND run_at <= ? "
                       "LIMIT 1",
                       lane, last.first, last.second, *due))
      found.insert(last);
  }
  return found;
}

} // namespace signalbox::sqlite
