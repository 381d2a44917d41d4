#include "adapters/store/sqlite/tokens.hpp"

#include <vector>

namespace signalbox::sqlite {

namespace {

// That a token is still named is noted no more often.
constexpr std::chrono::hours named_again{24};

void link_topics(connection& database, token_id id, std::optional<std::int64_t> user,
                 pool_code pool) {
  if (user)
    database.execute("INSERT OR IGNORE INTO topic_tokens(topic, pool, token) "
                     "SELECT s.topic, ?1, ?2 FROM subscriptions s CROSS JOIN topics p "
                     "ON p.id = s.topic WHERE s.user = ?3",
                     pool, id, *user);
  database.execute("INSERT OR IGNORE INTO topic_tokens(topic, pool, token) "
                   "SELECT s.topic, ?1, s.token FROM token_subscriptions s CROSS JOIN topics p "
                   "ON p.id = s.topic WHERE s.token = ?2",
                   pool, id);
}

void unlink_topics(connection& database, token_id id, std::optional<std::int64_t> user,
                   pool_code pool) {
  database.execute("DELETE FROM topic_tokens WHERE pool = ?1 AND token = ?2 AND topic IN ("
                   "SELECT topic FROM subscriptions WHERE user = ?3 "
                   "UNION SELECT topic FROM token_subscriptions WHERE token = ?2)",
                   pool, id, user);
}

token_id insert_token(connection& database, const token_name& name,
                      std::optional<std::int64_t> user, timestamp now) {
  database.execute("INSERT INTO tokens(app, user, platform, environment, token, registered_at, "
                   "named_at) VALUES(?, ?, ?, ?, ?, ?, ?)",
                   name.app, user, name.provider, name.env, name.token, now,
                   user ? std::nullopt : std::optional{now});
  return database.last_insert_id();
}

// Takes a token out of all its topics, whoever it belongs to; false if there is no such row.
bool unlink_all_topics(connection& database, token_id id) {
  std::optional<std::int64_t> user;
  pool_code pool = 0;
  {
    auto found = database.query("SELECT user, platform, environment FROM tokens WHERE id = ?", id);
    if (!found.next())
      return false;
    user = found.optional_integer(0);
    pool = pool_of(found.as<platform>(1), found.as<environment>(2));
  }
  unlink_topics(database, id, user, pool);
  return true;
}

// A new id for the same token: what still holds the old one finds nothing (SPEC 3).
token_id replace_token(connection& database, const token_name& name, const token_row& old,
                       std::optional<std::int64_t> user, timestamp now) {
  unlink_topics(database, old.id, old.user, pool_of(name.provider, old.env));
  // The token text is unique, so the old row goes first and its topics wait under the new id.
  const bool same_holder = old.user == user;
  std::vector<std::int64_t> topics;
  if (same_holder) {
    auto found = database.query("SELECT topic FROM token_subscriptions WHERE token = ?", old.id);
    while (found.next())
      topics.push_back(found.integer(0));
  }
  database.execute("DELETE FROM tokens WHERE id = ?", old.id);
  const auto id = insert_token(database, name, user, now);
  for (const auto topic : topics)
    database.execute("INSERT INTO token_subscriptions(token, topic) VALUES(?, ?)", id, topic);
  if (!topics.empty())
    database.execute("UPDATE tokens SET named_at = NULL WHERE id = ?", id);
  link_topics(database, id, user, pool_of(name.provider, name.env));
  return id;
}

token_name stored(token_name name) {
  name.env = stored_environment(name.provider, name.env);
  return name;
}

} // namespace

std::optional<token_row> find_token(connection& database, const token_name& name) {
  auto found = database.query("SELECT id, user, environment, invalidated_at IS NULL FROM tokens "
                              "WHERE app = ? AND token = ? AND platform = ? AND kind = 0",
                              name.app, name.token, name.provider);
  if (!found.next())
    return std::nullopt;
  return token_row{found.integer(0), found.optional_integer(1), found.as<environment>(2),
                   found.integer(3) != 0};
}

registered_token register_token(connection& database, const token_name& given,
                                std::optional<std::int64_t> user, timestamp now) {
  const auto name = stored(given);
  const auto pool = pool_of(name.provider, name.env);
  const auto known = find_token(database, name);
  if (!known) {
    const auto id = insert_token(database, name, user, now);
    if (user)
      link_topics(database, id, user, pool);
    return {id, pool, true, false};
  }
  const auto holder = user ? user : known->user;
  const bool other_user = known->user && user && *known->user != *user;
  if (other_user || known->env != name.env)
    return {replace_token(database, name, *known, holder, now), pool, false, true};
  database.execute("UPDATE tokens SET user = ?1, registered_at = ?2, invalidated_at = NULL, "
                   "invalid_reason = NULL, named_at = iif(named_at IS NULL, NULL, ?2) "
                   "WHERE id = ?3",
                   holder, now, known->id);
  if (!known->live || known->user != holder)
    link_topics(database, known->id, holder, pool);
  return {known->id, pool, false, false};
}

named_token name_token(connection& database, const token_name& given, timestamp now) {
  const auto name = stored(given);
  const auto known = find_token(database, name);
  const auto pool = pool_of(name.provider, name.env);
  if (!known)
    return {insert_token(database, name, std::nullopt, now), pool, true};
  if (!known->user)
    database.execute("UPDATE tokens SET named_at = ? WHERE id = ? AND named_at < ?", now, known->id,
                     now - named_again);
  if (known->user || known->env == name.env)
    return {known->id, pool_of(name.provider, known->env), known->live};
  return {replace_token(database, name, *known, std::nullopt, now), pool, true};
}

bool subscribe_user(connection& database, std::int64_t user, std::int64_t topic, timestamp now) {
  if (database.execute("INSERT OR IGNORE INTO subscriptions(user, topic, created_at) "
                       "VALUES(?, ?, ?)",
                       user, topic, now) == 0)
    return false;
  database.execute("INSERT OR IGNORE INTO topic_tokens(topic, pool, token) "
                   "SELECT ?1, platform * 16 + environment, id FROM tokens "
                   "WHERE user = ?2 AND kind = 0 AND invalidated_at IS NULL",
                   topic, user);
  return true;
}

bool unsubscribe_user(connection& database, std::int64_t user, std::int64_t topic) {
  const bool existed =
    database.execute("DELETE FROM subscriptions WHERE user = ? AND topic = ?", user, topic) > 0;
  const bool had_tokens =
    database.execute("DELETE FROM topic_tokens WHERE topic = ?1 AND pool IN (17, 18, 33) "
                     "AND token IN (SELECT id FROM tokens WHERE user = ?2)",
                     topic, user) > 0;
  database.execute("DELETE FROM token_subscriptions WHERE topic = ?1 "
                   "AND token IN (SELECT id FROM tokens WHERE user = ?2)",
                   topic, user);
  return existed || had_tokens;
}

void subscribe_token(connection& database, const registered_token& token, std::int64_t topic) {
  if (database.execute("INSERT OR IGNORE INTO token_subscriptions(token, topic) VALUES(?, ?)",
                       token.id, topic) > 0)
    database.execute("UPDATE tokens SET named_at = NULL WHERE id = ?", token.id);
  database.execute("INSERT OR IGNORE INTO topic_tokens(topic, pool, token) VALUES(?, ?, ?)", topic,
                   token.pool, token.id);
}

void leave_topic(connection& database, token_id id, std::int64_t topic, timestamp now) {
  database.execute("DELETE FROM token_subscriptions WHERE token = ? AND topic = ?", id, topic);
  database.execute("UPDATE tokens SET named_at = ? WHERE id = ? AND user IS NULL AND NOT EXISTS("
                   "SELECT 1 FROM token_subscriptions WHERE token = tokens.id)",
                   now, id);
}

std::size_t delete_unused_tokens(connection& database, timestamp before, std::size_t limit) {
  std::vector<token_id> unused;
  {
    auto found = database.query("SELECT id FROM tokens INDEXED BY tokens_userless "
                                "WHERE user IS NULL AND kind = 0 "
                                "AND ifnull(invalidated_at, named_at) IS NOT NULL "
                                "AND ifnull(invalidated_at, named_at) <= ? LIMIT ?",
                                before, limit);
    while (found.next())
      unused.push_back(found.integer(0));
  }
  for (const auto id : unused)
    delete_token_row(database, id);
  return unused.size();
}

void delete_token_row(connection& database, token_id id) {
  if (unlink_all_topics(database, id))
    database.execute("DELETE FROM tokens WHERE id = ?", id);
}

bool invalidate_token(connection& database, token_id id, std::string_view reason, timestamp at,
                      timestamp valid_until) {
  if (database.execute("UPDATE tokens SET invalidated_at = ?, invalid_reason = ? "
                       "WHERE id = ? AND invalidated_at IS NULL AND registered_at <= ?",
                       at, reason, id, valid_until) == 0)
    return false;
  unlink_all_topics(database, id);
  return true;
}

} // namespace signalbox::sqlite
