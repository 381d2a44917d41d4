#pragma once

#include "adapters/store/sqlite/connection.hpp"
#include "adapters/store/sqlite/lane_names.hpp"
#include "adapters/store/sqlite/pool.hpp"

#include <set>
#include <utility>

namespace signalbox::sqlite {

using app_pool = std::pair<app_id, pool_code>;

/// Where a lane has unclaimed chunks: one look-up in an index for each destination.
std::set<app_pool> destinations_with_chunks(connection& database, lane_number lane);

/// Where a lane has packs of retries that are not parked, be they leased or not.
std::set<app_pool> destinations_with_retries(connection& database, lane_number lane);

} // namespace signalbox::sqlite
