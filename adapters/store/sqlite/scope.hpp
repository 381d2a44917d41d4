#pragma once

#include "adapters/store/sqlite/connection.hpp"
#include "adapters/store/sqlite/pool.hpp"
#include "messages/job.hpp"
#include "messages/result.hpp"

#include <optional>
#include <string>
#include <vector>

namespace signalbox::sqlite {

/// The most targets of a job that is committed already planned.
inline constexpr std::size_t small_job_targets = 1'000;

struct scope_target {
  token_id id = 0;
  pool_code pool = 0;
  std::string token;
  bool live = true; ///< false only for inline tokens: the caller hears that it is skipped
};

/// Whom a job is for, in rows.
struct resolved_scope {
  errc code = errc::ok; ///< not_found: the user, the topic, or every one of the users
  std::string message;
  std::optional<std::int64_t> scope_id; ///< the user's or the topic's row
  bool is_known = false;                ///< `targets` are all there are
  std::vector<scope_target> targets;    ///< by pool, then id
  std::string list;                     ///< what the planner goes on from, see job_scopes
};

/// Whether the job's scope can be resolved by reading alone; else it takes resolve_inline.
bool is_resolved_by_reading(const new_job& job, timestamp now);

/// Resolves a scope by reading. `now` decides whether the job is for later and is planned then.
resolved_scope resolve(connection& database, const new_job& job, timestamp now);

/// Resolves a few inline tokens, making rows for unknown ones: in the writer's transaction.
resolved_scope resolve_inline(connection& database, const new_job& job, timestamp now);

bool is_for_later(const new_job& job, timestamp now);

/// The inline tokens of a job as job_scopes keeps them, each once.
std::string encode_inline_tokens(const std::vector<inline_token>& tokens);

/// Reads up to `limit` tokens from `offset`, which moves on to what comes after them.
std::vector<inline_token> decode_inline_tokens(std::string_view list, std::size_t& offset,
                                               std::size_t limit);

} // namespace signalbox::sqlite
