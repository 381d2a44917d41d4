#pragma once

#include "adapters/store/sqlite/ledger_state.hpp"
#include "adapters/store/sqlite/scope.hpp"
#include "messages/ledger.hpp"

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

namespace signalbox::sqlite {

/// A commit group on its way through the store's threads.
struct commit_group {
  std::vector<job_submission> jobs;
  std::chrono::milliseconds lease{0};
  boot_clock::time_point lease_deadline;
  timestamp now;                      ///< of the store, when the group came in
  std::vector<resolved_scope> scopes; ///< resolved beforehand, if not empty
  std::uint64_t generation = 0;       ///< of the directory when they were
  std::vector<commit_result> results;
};

/// Resolves the group's scopes, except a few inline tokens: on a reader, or on the writer for a
/// small group.
void resolve_group(connection& database, const shared_state& shared, commit_group& group);

/// Writes the group's jobs and fills its results: in the writer's transaction.
void commit_group_jobs(connection& database, shared_state& shared, writer_state& state,
                       commit_group& group);

/// What a chunk row is made with.
struct new_chunk {
  job_number job = 0;
  std::uint32_t seq = 0;
  lane_number lane = 0;
  app_id app = default_app;
  pool_code pool = 0;
  std::span<const token_id> ids;
};

void insert_chunk(connection& database, const new_chunk& chunk);

} // namespace signalbox::sqlite
