#include "adapters/store/sqlite/activity_tokens.hpp"

#include "adapters/store/sqlite/activities.hpp"
#include "adapters/store/sqlite/directory_rows.hpp"
#include "adapters/store/sqlite/pool.hpp"

#include <algorithm>

namespace signalbox::sqlite {

namespace {

struct known_token {
  token_id id = 0;
  std::optional<std::int64_t> user;
  environment env = environment::production;
};

std::optional<known_token> find(connection& database, app_id app, const std::string& token,
                                platform provider, token_kind kind) {
  auto found = database.query("SELECT id, user, environment FROM tokens WHERE app = ? "
                              "AND token = ? AND platform = ? AND kind = ?",
                              app, token, provider, kind);
  if (!found.next())
    return std::nullopt;
  return known_token{found.integer(0), found.optional_integer(1), found.as<environment>(2)};
}

token_id insert(connection& database, app_id app, std::optional<std::int64_t> user,
                const activity_token_registration& given, environment env, timestamp now,
                std::optional<timestamp> expires_at) {
  database.execute("INSERT INTO tokens(app, user, platform, environment, token, kind, "
                   "registered_at, expires_at) VALUES(?, ?, ?, ?, ?, ?, ?, ?)",
                   app, user, given.provider, env, given.token, given.kind, now, expires_at);
  return database.last_insert_id();
}

// APNs ends an activity after 8 h, and its token with it.
std::optional<timestamp> end_of(const activity_token_registration& given, timestamp now) {
  if (given.provider == platform::fcm || given.kind != token_kind::update)
    return given.expires_at;
  return std::min(given.expires_at.value_or(timestamp::max()), now + longest_activity);
}

} // namespace

put_outcome register_activity_token(connection& database, app_id app,
                                    const activity_token_registration& given, timestamp now) {
  const auto user = user_row(database, app, given.user, now);
  if (!given.topic.empty())
    subscribe_activities(database, app, given.user, given.topic, now);
  const auto env = stored_environment(given.provider, given.env);
  const auto expires_at = end_of(given, now);
  const auto known = find(database, app, given.token, given.provider, given.kind);
  token_id id = 0;
  if (known && known->user == user && known->env == env) {
    id = known->id;
    database.execute("UPDATE tokens SET registered_at = ?, invalidated_at = NULL, "
                     "invalid_reason = NULL, expires_at = ? WHERE id = ?",
                     now, expires_at, id);
  } else {
    if (known)
      database.execute("DELETE FROM tokens WHERE id = ?", known->id);
    id = insert(database, app, user, given, env, now, expires_at);
  }
  if (!given.activity.empty() && given.kind == token_kind::update)
    database.execute("INSERT INTO activity_bindings(app, activity, pool, token, bound_at) "
                     "VALUES(?, ?, ?, ?, ?) ON CONFLICT(app, activity, pool, token) DO UPDATE "
                     "SET bound_at = excluded.bound_at",
                     app, given.activity, pool_of(given.provider, env), id, now);
  return known ? put_outcome::existing : put_outcome::created;
}

bool delete_activity_token(connection& database, app_id app, const std::string& user,
                           const std::string& token) {
  return database.execute("DELETE FROM tokens WHERE kind IN (1, 2) AND token = ? AND user = "
                          "(SELECT id FROM users WHERE app = ? AND name = ?)",
                          token, app, user) > 0;
}

put_outcome subscribe_activities(connection& database, app_id app, const std::string& user,
                                 const std::string& topic, timestamp now) {
  const auto user_id = user_row(database, app, user, now);
  const auto topic_id = topic_row(database, app, topic, now);
  return database.execute("INSERT OR IGNORE INTO activity_subscriptions(user, topic, created_at) "
                          "VALUES(?, ?, ?)",
                          user_id, topic_id, now) > 0
           ? put_outcome::created
           : put_outcome::existing;
}

bool unsubscribe_activities(connection& database, app_id app, const std::string& user,
                            const std::string& topic) {
  return database.execute("DELETE FROM activity_subscriptions WHERE user = "
                          "(SELECT id FROM users WHERE app = ?1 AND name = ?2) AND topic = "
                          "(SELECT id FROM topics WHERE app = ?1 AND name = ?3)",
                          app, user, topic) > 0;
}

void bind_token(connection& database, job_number job, token_id token) {
  database.execute("INSERT OR IGNORE INTO activity_bindings(app, activity, pool, token) "
                   "SELECT a.app, a.name, t.platform * 16 + t.environment, t.id "
                   "FROM activity_dispatches d CROSS JOIN activities a ON a.id = d.activity "
                   "CROSS JOIN tokens t ON t.id = ?2 WHERE d.job = ?1",
                   job, token);
}

void put_channel(connection& database, app_id app, const std::string& channel, environment env,
                 timestamp now, timestamp expires_at) {
  if (const auto known = find(database, app, channel, platform::apns, token_kind::channel)) {
    database.execute("UPDATE tokens SET expires_at = MAX(COALESCE(expires_at, 0), ?) WHERE id = ?",
                     expires_at, known->id);
    return;
  }
  activity_token_registration row;
  row.kind = token_kind::channel;
  row.token = channel;
  insert(database, app, std::nullopt, row, env, now, expires_at);
}

namespace {

struct bound_activity {
  app_id app = 0;
  std::string name;
};

// Two look-ups in the index, as for destinations: all of an activity's bindings are passed by.
std::optional<bound_activity> next_bound(connection& database, const bound_activity& after) {
  {
    auto found = database.query("SELECT activity FROM activity_bindings WHERE app = ? "
                                "AND activity > ? ORDER BY activity LIMIT 1",
                                after.app, after.name);
    if (found.next())
      return bound_activity{after.app, std::string{found.text(0)}};
  }
  auto found = database.query("SELECT app, activity FROM activity_bindings WHERE app > ? "
                              "ORDER BY app, activity LIMIT 1",
                              after.app);
  if (!found.next())
    return std::nullopt;
  return bound_activity{found.integer(0), std::string{found.text(1)}};
}

} // namespace

bool delete_stray_bindings(connection& database, stray_place& place, timestamp before,
                           std::size_t limit) {
  bound_activity at{place.app, place.activity};
  for (std::size_t seen = 0; seen < limit; ++seen) {
    const auto next = next_bound(database, at);
    if (!next) {
      place = {};
      return false;
    }
    at = *next;
    if (!database.value("SELECT 1 FROM activities WHERE app = ? AND name = ?", at.app, at.name))
      database.execute("DELETE FROM activity_bindings WHERE app = ?1 AND activity = ?2 "
                       "AND (pool, token) IN (SELECT pool, token FROM activity_bindings "
                       "WHERE app = ?1 AND activity = ?2 AND bound_at <= ?3 LIMIT ?4)",
                       at.app, at.name, before, limit);
    place = {at.app, at.name};
  }
  return true;
}

std::size_t delete_expired_tokens(connection& database, timestamp now, std::size_t limit) {
  return static_cast<std::size_t>(database.execute(
    "DELETE FROM tokens WHERE id IN (SELECT id FROM tokens INDEXED BY tokens_by_expiry "
    "WHERE expires_at IS NOT NULL AND expires_at <= ? LIMIT ?)",
    now, limit));
}

} // namespace signalbox::sqlite
