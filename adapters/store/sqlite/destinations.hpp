#pragma once

#include "adapters/store/sqlite/connection.hpp"
#include "adapters/store/sqlite/lane_names.hpp"
#include "adapters/store/sqlite/pool.hpp"

#include <optional>
#include <set>
#include <utility>

namespace signalbox::sqlite {

using app_pool = std::pair<app_id, pool_code>;

/// Where a lane has unclaimed chunks: one look-up in an index for each destination.
std::set<app_pool> destinations_with_chunks(connection& database, lane_number lane);

/// Where a lane has unclaimed retry rows, those due by `due` if it is given.
std::set<app_pool> destinations_with_retries(connection& database, lane_number lane,
                                             std::optional<timestamp> due = std::nullopt);

} // namespace signalbox::sqlite
