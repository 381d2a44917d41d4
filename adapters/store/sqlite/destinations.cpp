#include "adapters/store/sqlite/destinations.hpp"

#include <optional>

namespace signalbox::sqlite {

namespace {

// Two look-ups in the index: SQLite takes a row value's first member alone for the start of a
// range, and would pass by all the rows of the destination.
struct look_ups {
  const char* in_same_app;
  const char* in_next_app;
};

std::optional<app_pool> next_destination(connection& database, const look_ups& sql,
                                         lane_number lane, const app_pool& after) {
  {
    auto found = database.query(sql.in_same_app, lane, after.first, after.second);
    if (found.next())
      return app_pool{after.first, static_cast<pool_code>(found.integer(0))};
  }
  auto found = database.query(sql.in_next_app, lane, after.first);
  if (!found.next())
    return std::nullopt;
  return app_pool{found.integer(0), static_cast<pool_code>(found.integer(1))};
}

constexpr look_ups chunk_look_ups{
  "SELECT pool FROM chunks INDEXED BY chunks_ready WHERE status = 1 AND lane = ? AND app = ? "
  "AND pool > ? ORDER BY pool LIMIT 1",
  "SELECT app, pool FROM chunks INDEXED BY chunks_ready WHERE status = 1 AND lane = ? "
  "AND app > ? ORDER BY app, pool LIMIT 1"};

constexpr look_ups retry_look_ups{
  "SELECT pool FROM retries INDEXED BY retries_due WHERE parked = 0 "
  "AND lane = ? AND app = ? AND pool > ? ORDER BY pool LIMIT 1",
  "SELECT app, pool FROM retries INDEXED BY retries_due WHERE parked = 0 "
  "AND lane = ? AND app > ? ORDER BY app, pool LIMIT 1"};

} // namespace

std::set<app_pool> destinations_with_chunks(connection& database, lane_number lane) {
  std::set<app_pool> found;
  app_pool last{0, 0};
  while (const auto next = next_destination(database, chunk_look_ups, lane, last))
    found.insert(last = *next);
  return found;
}

std::set<app_pool> destinations_with_retries(connection& database, lane_number lane) {
  std::set<app_pool> found;
  app_pool last{0, 0};
  while (const auto next = next_destination(database, retry_look_ups, lane, last))
    found.insert(last = *next);
  return found;
}

} // namespace signalbox::sqlite
