#pragma once

#include "adapters/store/sqlite/connection.hpp"
#include "adapters/store/sqlite/job_cache.hpp"

#include <cstdint>
#include <optional>
#include <vector>

namespace signalbox::sqlite {

/// A target of a chunk without an outcome.
struct open_target {
  token_id id = 0;
  std::uint32_t position = 0;
  bool is_sent = false; ///< marked: its request may have left
};

/// From a chunk's ids, targets, done and sent columns, in this order, by ascending id; nothing if
/// the list is damaged.
std::optional<std::vector<open_target>> open_targets(const rows& chunk);

/// Closes a chunk whose target list is damaged: all that it has not counted yet are *rejected*, and
/// one dead letter without a token, reason "corrupt", stands for them. Tries to complete its job.
void close_damaged(connection& database, job_number job, std::uint32_t seq, timestamp now);

} // namespace signalbox::sqlite
