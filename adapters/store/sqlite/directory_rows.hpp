#pragma once

#include "actors/ports/directory.hpp"
#include "adapters/store/sqlite/connection.hpp"
#include "adapters/store/sqlite/writer.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace signalbox::sqlite {

// Users, topics and subscriptions as functions of one connection. Those that write run inside the
// writer's transaction.

std::optional<std::int64_t> find_user(connection& database, app_id app, const std::string& user);
std::optional<std::int64_t> find_topic(connection& database, app_id app, const std::string& topic);

/// The row of a user or a topic, made if there is none.
std::int64_t user_row(connection& database, app_id app, const std::string& user, timestamp now);
std::int64_t topic_row(connection& database, app_id app, const std::string& topic, timestamp now);

put_outcome put_user(connection& database, app_id app, const std::string& user, timestamp now);
result<user_view> read_user(connection& database, app_id app, const std::string& user);
page_of<user_view> read_users(connection& database, app_id app, const page_request& page);
result<unit> delete_user(connection& database, app_id app, const std::string& user);
result<page_of<token_view>> read_tokens(connection& database, app_id app, const std::string& user,
                                        const page_request& page);
result<unit> delete_token(connection& database, app_id app, const std::string& user,
                          const std::string& token);

put_outcome put_topic(connection& database, app_id app, const std::string& topic,
                      const std::optional<std::string>& title, timestamp now);
result<topic_view> read_topic(connection& database, app_id app, const std::string& topic);
page_of<topic_view> read_topics(connection& database, app_id app, const page_request& page);
/// Takes the topic away at once; its rows go by remove_deleted_topic.
result<std::int64_t> delete_topic(connection& database, app_id app, const std::string& topic);
std::vector<std::int64_t> deleted_topics(connection& database);
/// Removes rows of a deleted topic until the slice is over; true when none is left.
bool remove_deleted_topic(connection& database, std::int64_t topic, timestamp now,
                          const time_slice& slice);
result<std::int64_t> count_topic(connection& database, app_id app, const std::string& topic);
result<page_of<user_view>> read_subscribers(connection& database, app_id app,
                                            const std::string& topic, const page_request& page);
put_outcome subscribe(connection& database, app_id app, const std::string& user,
                      const std::string& topic, timestamp now);
result<unit> unsubscribe(connection& database, app_id app, const std::string& user,
                         const std::string& topic);
result<page_of<subscription_view>> read_subscriptions(connection& database, app_id app,
                                                      const std::string& user,
                                                      const page_request& page);

/// Registers tokens from `next` on until the slice is over; true when all are.
struct registration_run {
  app_id app = default_app;
  std::vector<token_registration> tokens;
  std::size_t next = 0;
  registration_result result;
  bool has_replaced = false; ///< a row went away
};
bool register_some(connection& database, registration_run& run, timestamp now,
                   const time_slice& slice);

} // namespace signalbox::sqlite
