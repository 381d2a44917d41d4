#include "adapters/store/sqlite/directory_rows.hpp"

#include "adapters/store/sqlite/paging.hpp"
#include "adapters/store/sqlite/tokens.hpp"

#include <string_view>
#include <unordered_map>
#include <utility>

namespace signalbox::sqlite {

namespace {

// Rows of a deleted topic that go at a time, between two looks at the clock.
constexpr int removal_step = 200;

std::string no_user(const std::string& user) {
  return "user '" + user + "' does not exist";
}

std::string no_topic(const std::string& topic) {
  return "topic '" + topic + "' does not exist";
}

user_view user_of(const rows& row) {
  return {std::string{row.text(1)}, row.time(2)};
}

std::string number_key(const rows& row) {
  return std::to_string(row.integer(0));
}

std::string name_key(const rows& row) {
  return std::string{row.text(1)};
}

token_view token_of(const rows& row) {
  return {row.as<platform>(1), row.as<environment>(2), std::string{row.text(3)},
          row.time(4),         row.optional_time(5),   std::string{row.text(6)}};
}

topic_view topic_of(const rows& row) {
  return {std::string{row.text(1)}, std::string{row.text(2)}, row.time(3)};
}

} // namespace

std::optional<std::int64_t> find_user(connection& database, app_id app, const std::string& user) {
  return database.value("SELECT id FROM users WHERE app = ? AND name = ?", app, user);
}

std::optional<std::int64_t> find_topic(connection& database, app_id app, const std::string& topic) {
  return database.value("SELECT id FROM topics WHERE app = ? AND name = ?", app, topic);
}

std::int64_t user_row(connection& database, app_id app, const std::string& user, timestamp now) {
  if (const auto known = find_user(database, app, user))
    return *known;
  database.execute("INSERT INTO users(app, name, created_at) VALUES(?, ?, ?)", app, user, now);
  return database.last_insert_id();
}

std::int64_t topic_row(connection& database, app_id app, const std::string& topic, timestamp now) {
  if (const auto known = find_topic(database, app, topic))
    return *known;
  database.execute("INSERT INTO topics(app, name, title, created_at) VALUES(?, ?, '', ?)", app,
                   topic, now);
  return database.last_insert_id();
}

put_outcome put_user(connection& database, app_id app, const std::string& user, timestamp now) {
  if (find_user(database, app, user))
    return put_outcome::existing;
  user_row(database, app, user, now);
  return put_outcome::created;
}

result<user_view> read_user(connection& database, app_id app, const std::string& user) {
  auto found =
    database.query("SELECT id, name, created_at FROM users WHERE app = ? AND name = ?", app, user);
  return found.next() ? result<user_view>::success(user_of(found))
                      : result<user_view>::failure(errc::not_found, no_user(user));
}

page_of<user_view> read_users(connection& database, app_id app, const page_request& page) {
  auto found = database.query("SELECT id, name, created_at FROM users WHERE app = ? AND name > ? "
                              "ORDER BY name LIMIT ?",
                              app, page.after, page.limit + 1);
  return take_page<user_view>(found, page.limit, user_of, name_key);
}

result<unit> delete_user(connection& database, app_id app, const std::string& user) {
  const auto row = find_user(database, app, user);
  if (!row)
    return result<unit>::failure(errc::not_found, no_user(user));
  std::vector<token_id> tokens;
  {
    auto found = database.query("SELECT id FROM tokens WHERE user = ?", *row);
    while (found.next())
      tokens.push_back(found.integer(0));
  }
  for (const auto token : tokens)
    delete_token_row(database, token);
  database.execute("DELETE FROM users WHERE id = ?", *row);
  return {};
}

result<page_of<token_view>> read_tokens(connection& database, app_id app, const std::string& user,
                                        const page_request& page) {
  using answer = result<page_of<token_view>>;
  const auto row = find_user(database, app, user);
  if (!row)
    return answer::failure(errc::not_found, no_user(user));
  auto found = database.query(
    "SELECT id, platform, environment, token, registered_at, invalidated_at, invalid_reason "
    "FROM tokens WHERE user = ? AND kind = 0 AND id > ? ORDER BY id LIMIT ?",
    *row, number_after(page, 0), page.limit + 1);
  return answer::success(take_page<token_view>(found, page.limit, token_of, number_key));
}

result<unit> delete_token(connection& database, app_id app, const std::string& user,
                          const std::string& token) {
  std::vector<token_id> ids;
  {
    auto found = database.query("SELECT t.id FROM users u JOIN tokens t ON t.user = u.id "
                                "WHERE u.app = ? AND u.name = ? AND t.token = ? AND t.kind = 0",
                                app, user, token);
    while (found.next())
      ids.push_back(found.integer(0));
  }
  if (ids.empty())
    return result<unit>::failure(errc::not_found, "user '" + user + "' has no such token");
  for (const auto id : ids)
    delete_token_row(database, id);
  return {};
}

put_outcome put_topic(connection& database, app_id app, const std::string& topic,
                      const std::optional<std::string>& title, timestamp now) {
  const auto known = find_topic(database, app, topic);
  const auto row = known ? *known : topic_row(database, app, topic, now);
  if (title)
    database.execute("UPDATE topics SET title = ? WHERE id = ?", *title, row);
  return known ? put_outcome::existing : put_outcome::created;
}

result<topic_view> read_topic(connection& database, app_id app, const std::string& topic) {
  auto found = database.query(
    "SELECT id, name, title, created_at FROM topics WHERE app = ? AND name = ?", app, topic);
  return found.next() ? result<topic_view>::success(topic_of(found))
                      : result<topic_view>::failure(errc::not_found, no_topic(topic));
}

page_of<topic_view> read_topics(connection& database, app_id app, const page_request& page) {
  auto found = database.query("SELECT id, name, title, created_at FROM topics "
                              "WHERE app = ? AND name > ? ORDER BY name LIMIT ?",
                              app, page.after, page.limit + 1);
  return take_page<topic_view>(found, page.limit, topic_of, name_key);
}

result<std::int64_t> delete_topic(connection& database, app_id app, const std::string& topic) {
  const auto row = find_topic(database, app, topic);
  if (!row)
    return result<std::int64_t>::failure(errc::not_found, no_topic(topic));
  database.execute("INSERT INTO deleted_topics(topic) VALUES(?)", *row);
  database.execute("DELETE FROM topics WHERE id = ?", *row);
  return result<std::int64_t>::success(*row);
}

std::vector<std::int64_t> deleted_topics(connection& database) {
  std::vector<std::int64_t> topics;
  auto found = database.query("SELECT topic FROM deleted_topics");
  while (found.next())
    topics.push_back(found.integer(0));
  return topics;
}

bool remove_deleted_topic(connection& database, std::int64_t topic, timestamp now,
                          const time_slice& slice) {
  do {
    // Subscriptions go first: a token that is registered meanwhile would join by them.
    if (database.execute("DELETE FROM subscriptions WHERE (user, topic) IN (SELECT user, topic "
                         "FROM subscriptions WHERE topic = ?1 LIMIT ?2)",
                         topic, removal_step) > 0)
      continue;
    if (database.execute("DELETE FROM activity_subscriptions WHERE (user, topic) IN (SELECT user, "
                         "topic FROM activity_subscriptions WHERE topic = ?1 LIMIT ?2)",
                         topic, removal_step) > 0)
      continue;
    std::vector<token_id> without_user;
    {
      auto found = database.query("SELECT token FROM token_subscriptions WHERE topic = ? LIMIT ?",
                                  topic, removal_step);
      while (found.next())
        without_user.push_back(found.integer(0));
    }
    for (const auto token : without_user)
      leave_topic(database, token, topic, now);
    if (!without_user.empty())
      continue;
    std::vector<std::pair<pool_code, token_id>> tokens;
    {
      auto found = database.query("SELECT pool, token FROM topic_tokens WHERE topic = ? LIMIT ?",
                                  topic, removal_step);
      while (found.next())
        tokens.emplace_back(static_cast<pool_code>(found.integer(0)), found.integer(1));
    }
    for (const auto& [pool, token] : tokens)
      database.execute("DELETE FROM topic_tokens WHERE topic = ? AND pool = ? AND token = ?", topic,
                       pool, token);
    if (tokens.empty()) {
      database.execute("DELETE FROM deleted_topics WHERE topic = ?", topic);
      return true;
    }
  } while (!slice.is_over());
  return false;
}

result<std::int64_t> count_topic(connection& database, app_id app, const std::string& topic) {
  using answer = result<std::int64_t>;
  const auto members =
    database.value("SELECT members FROM topics WHERE app = ? AND name = ?", app, topic);
  return members ? answer::success(*members) : answer::failure(errc::not_found, no_topic(topic));
}

result<page_of<user_view>> read_subscribers(connection& database, app_id app,
                                            const std::string& topic, const page_request& page) {
  using answer = result<page_of<user_view>>;
  const auto row = find_topic(database, app, topic);
  if (!row)
    return answer::failure(errc::not_found, no_topic(topic));
  auto found = database.query(
    "SELECT u.id, u.name, u.created_at FROM subscriptions s CROSS JOIN users u ON u.id = s.user "
    "WHERE s.topic = ? AND s.user > ? ORDER BY s.user LIMIT ?",
    *row, number_after(page, 0), page.limit + 1);
  return answer::success(take_page<user_view>(found, page.limit, user_of, number_key));
}

put_outcome subscribe(connection& database, app_id app, const std::string& user,
                      const std::string& topic, timestamp now) {
  const auto user_id = user_row(database, app, user, now);
  return subscribe_user(database, user_id, topic_row(database, app, topic, now), now)
           ? put_outcome::created
           : put_outcome::existing;
}

result<unit> unsubscribe(connection& database, app_id app, const std::string& user,
                         const std::string& topic) {
  const auto user_id = find_user(database, app, user);
  if (!user_id)
    return result<unit>::failure(errc::not_found, no_user(user));
  const auto topic_id = find_topic(database, app, topic);
  if (!topic_id)
    return result<unit>::failure(errc::not_found, no_topic(topic));
  if (!unsubscribe_user(database, *user_id, *topic_id))
    return result<unit>::failure(errc::not_found,
                                 "user '" + user + "' is not subscribed to '" + topic + "'");
  return {};
}

result<page_of<subscription_view>> read_subscriptions(connection& database, app_id app,
                                                      const std::string& user,
                                                      const page_request& page) {
  using answer = result<page_of<subscription_view>>;
  const auto row = find_user(database, app, user);
  if (!row)
    return answer::failure(errc::not_found, no_user(user));
  auto found =
    database.query("SELECT s.topic, p.name, s.created_at FROM subscriptions s CROSS JOIN topics p "
                   "ON p.id = s.topic WHERE s.user = ? AND s.topic > ? ORDER BY s.topic LIMIT ?",
                   *row, number_after(page, 0), page.limit + 1);
  return answer::success(take_page<subscription_view>(
    found, page.limit,
    [](const rows& one) {
      return subscription_view{std::string{one.text(1)}, one.time(2)};
    },
    number_key));
}

bool register_some(connection& database, registration_run& run, timestamp now,
                   const time_slice& slice) {
  std::unordered_map<std::string_view, std::int64_t> topics; // of this transaction alone
  while (run.next < run.tokens.size()) {
    const auto& one = run.tokens[run.next];
    std::optional<std::int64_t> user;
    if (!one.user.empty())
      user = user_row(database, run.app, one.user, now);
    const token_name name{run.app, one.provider, one.env, one.token};
    const auto row = register_token(database, name, user, now);
    for (const auto& topic : one.topics) {
      const auto [it, is_new] = topics.try_emplace(topic, 0);
      if (is_new)
        it->second = topic_row(database, run.app, topic, now);
      if (user)
        subscribe_user(database, *user, it->second, now);
      else
        subscribe_token(database, row, it->second);
    }
    run.result.created.push_back(row.created);
    run.has_replaced |= row.replaced;
    ++run.next;
    if (slice.is_over())
      break;
  }
  return run.next == run.tokens.size();
}

} // namespace signalbox::sqlite
