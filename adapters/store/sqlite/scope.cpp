#include "adapters/store/sqlite/scope.hpp"

#include "actors/target_list.hpp"
#include "adapters/store/sqlite/tokens.hpp"

#include <algorithm>
#include <set>
#include <string_view>
#include <unordered_set>
#include <utility>

namespace signalbox::sqlite {

namespace {

resolved_scope not_found(std::string_view what, const std::string& name) {
  resolved_scope scope;
  scope.code = errc::not_found;
  scope.message = std::string{what} + " '" + name + "' does not exist";
  return scope;
}

void sort_targets(std::vector<scope_target>& targets) {
  std::sort(targets.begin(), targets.end(), [](const auto& a, const auto& b) {
    return std::tie(a.pool, a.id) < std::tie(b.pool, b.id);
  });
}

void give_up_knowing(resolved_scope& scope) {
  scope.is_known = false;
  scope.targets.clear();
}

// Reads a user and its live tokens in one go; false if there is no such user.
bool add_user(connection& database, app_id app, const std::string& user, resolved_scope& scope,
              std::int64_t& user_id) {
  auto found = database.query(
    "SELECT u.id, t.id, t.platform * 16 + t.environment, t.token FROM users u "
    "LEFT JOIN tokens t ON t.user = u.id AND t.kind = 0 AND t.invalidated_at IS NULL "
    "WHERE u.app = ? AND u.name = ?",
    app, user);
  bool exists = false;
  while (found.next()) {
    exists = true;
    user_id = found.integer(0);
    if (!found.is_null(1) && scope.targets.size() <= small_job_targets)
      scope.targets.push_back({found.integer(1), static_cast<pool_code>(found.integer(2)),
                               std::string{found.text(3)}, true});
  }
  return exists;
}

resolved_scope resolve_user(connection& database, const new_job& job, bool later) {
  resolved_scope scope;
  std::int64_t user = 0;
  scope.is_known = !later;
  if (!add_user(database, job.app, job.scope.name, scope, user))
    return not_found("user", job.scope.name);
  scope.scope_id = user;
  if (later || scope.targets.size() > small_job_targets)
    give_up_knowing(scope);
  sort_targets(scope.targets);
  return scope;
}

resolved_scope resolve_users(connection& database, const new_job& job, bool later) {
  resolved_scope scope;
  scope.is_known = !later && job.scope.users.size() <= small_job_targets;
  std::set<std::int64_t> ids;
  for (const auto& user : job.scope.users) {
    std::int64_t id = 0;
    if (scope.is_known) {
      const auto before = scope.targets.size();
      if (!add_user(database, job.app, user, scope, id))
        continue;
      if (!ids.insert(id).second)
        scope.targets.resize(before); // named twice
      if (scope.targets.size() > small_job_targets)
        give_up_knowing(scope);
    } else if (const auto row =
                 database.value("SELECT id FROM users WHERE app = ? AND name = ?", job.app, user)) {
      ids.insert(*row);
    }
  }
  if (ids.empty() && !job.scope.users.empty())
    return not_found("user", job.scope.users.front());
  if (!scope.is_known)
    scope.list = encode_targets(std::vector<std::int64_t>{ids.begin(), ids.end()});
  sort_targets(scope.targets);
  return scope;
}

bool app_exists(connection& database, app_id app) {
  return database.value("SELECT 1 FROM apps WHERE id = ?", app).has_value();
}

resolved_scope resolve_inline_list(connection& database, const new_job& job) {
  if (!app_exists(database, job.app))
    return not_found("app", std::to_string(job.app));
  resolved_scope scope;
  scope.list = encode_inline_tokens(job.scope.tokens);
  return scope;
}

resolved_scope resolve_topic(connection& database, const new_job& job) {
  resolved_scope scope;
  scope.scope_id =
    database.value("SELECT id FROM topics WHERE app = ? AND name = ?", job.app, job.scope.name);
  if (!scope.scope_id)
    return not_found("topic", job.scope.name);
  return scope;
}

} // namespace

bool is_for_later(const new_job& job, timestamp now) {
  return job.not_before && *job.not_before > now;
}

bool is_resolved_by_reading(const new_job& job, timestamp now) {
  return job.scope.kind != scope_kind::tokens || is_for_later(job, now) ||
         job.scope.tokens.size() > small_job_targets;
}

resolved_scope resolve(connection& database, const new_job& job, timestamp now) {
  const bool later = is_for_later(job, now);
  switch (job.scope.kind) {
  case scope_kind::user:
    return resolve_user(database, job, later);
  case scope_kind::users:
    return resolve_users(database, job, later);
  case scope_kind::topic:
    return resolve_topic(database, job);
  default:
    break;
  }
  if (job.scope.kind == scope_kind::tokens)
    return resolve_inline_list(database, job);
  resolved_scope scope;
  scope.code = errc::invalid;
  scope.message = "this scope is not one of the push lane";
  return scope;
}

resolved_scope resolve_inline(connection& database, const new_job& job, timestamp now) {
  if (!app_exists(database, job.app))
    return not_found("app", std::to_string(job.app));
  resolved_scope scope;
  scope.is_known = true;
  std::set<token_id> seen;
  for (const auto& token : job.scope.tokens) {
    const auto row = name_token(database, {job.app, token.provider, token.env, token.token}, now);
    if (seen.insert(row.id).second)
      scope.targets.push_back({row.id, row.pool, token.token, row.live});
  }
  sort_targets(scope.targets);
  return scope;
}

std::string encode_inline_tokens(const std::vector<inline_token>& tokens) {
  std::string list;
  std::unordered_set<std::string> seen;
  for (const auto& token : tokens) {
    if (!seen.insert(static_cast<char>(token.provider) + token.token).second)
      continue;
    list.push_back(static_cast<char>(token.provider));
    list.push_back(static_cast<char>(stored_environment(token.provider, token.env)));
    append_varint(list, token.token.size());
    list += token.token;
  }
  return list;
}

std::vector<inline_token> decode_inline_tokens(std::string_view list, std::size_t& offset,
                                               std::size_t limit) {
  std::vector<inline_token> tokens;
  auto rest = list.substr(std::min(offset, list.size()));
  while (rest.size() > 2 && tokens.size() < limit) {
    inline_token token{static_cast<platform>(rest[0]), static_cast<environment>(rest[1]), {}};
    rest.remove_prefix(2);
    const auto size = take_varint(rest);
    if (!size || *size > rest.size())
      break;
    token.token = rest.substr(0, *size);
    rest.remove_prefix(*size);
    tokens.push_back(std::move(token));
  }
  offset = tokens.empty() ? list.size() : list.size() - rest.size();
  return tokens;
}

} // namespace signalbox::sqlite
