#pragma once

#include "adapters/store/sqlite/connection.hpp"
#include "adapters/store/sqlite/pool.hpp"
#include "messages/outcome.hpp"

#include <optional>
#include <string_view>

namespace signalbox::sqlite {

/// Token rows and their place in topics, changed together. All functions run inside the writer's
/// transaction. topic_tokens holds the live tokens only, so that a fan-out reads nothing else.

struct token_row {
  token_id id = 0;
  std::optional<std::int64_t> user;
  environment env = environment::production;
  bool live = true;
};

struct token_name {
  app_id app = default_app;
  platform provider = platform::apns;
  environment env = environment::production;
  std::string_view token;
};

std::optional<token_row> find_token(connection& database, const token_name& name);

struct registered_token {
  token_id id = 0;
  pool_code pool = 0;
  bool created = false;  ///< the token was not known
  bool replaced = false; ///< the known row gave way to one with a new id
};

/// Registers a token, for a user if given (SPEC 3): clears invalidation and moves registered_at. A
/// first user keeps the row's id; another user, or another environment, gives the row a new one.
/// Without a user, a token that has one keeps it.
registered_token register_token(connection& database, const token_name& name,
                                std::optional<std::int64_t> user, timestamp now);

struct named_token {
  token_id id = 0;
  pool_code pool = 0;
  bool live = true;
};

/// The row for a token that a job names, made as a userless one if it is not known. A known one is
/// left as it is, invalidated or not; only a userless one moves to the environment named.
named_token name_token(connection& database, const token_name& name, timestamp now);

/// Subscribes a user with all its tokens; true if it was not subscribed yet.
bool subscribe_user(connection& database, std::int64_t user, std::int64_t topic, timestamp now);
/// Ends a user's subscription, and those of its tokens alone; false if there was none.
bool unsubscribe_user(connection& database, std::int64_t user, std::int64_t topic);
/// Subscribes one token that was registered without a user.
void subscribe_token(connection& database, const registered_token& token, std::int64_t topic);

/// Ends the subscription of a token alone. One without a user that has no other is used no more
/// unless a job names it.
void leave_topic(connection& database, token_id id, std::int64_t topic, timestamp now);

void delete_token_row(connection& database, token_id id);
/// Deletes tokens without a user that were invalidated, or last named by a job, so long ago; how
/// many.
std::size_t delete_unused_tokens(connection& database, timestamp before, std::size_t limit);

/// Marks a token dead and takes it out of its topics, unless it was registered again after
/// `valid_until` (SPEC 11.10). True if it was live.
bool invalidate_token(connection& database, token_id id, std::string_view reason, timestamp at,
                      timestamp valid_until);

} // namespace signalbox::sqlite
