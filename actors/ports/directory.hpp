#pragma once

#include "actors/ports/callback.hpp"
#include "actors/ports/page.hpp"
#include "messages/destination.hpp"
#include "messages/ids.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace signalbox {

struct user_view {
  std::string id;
  timestamp created_at;
};

struct token_view {
  platform provider = platform::apns;
  environment env = environment::production;
  std::string token;
  timestamp registered_at;
  std::optional<timestamp> invalidated_at;
  std::string invalid_reason;
};

struct topic_view {
  std::string id;
  std::string name;
  timestamp created_at;
};

struct subscription_view {
  std::string topic;
  timestamp created_at;
};

/// One registration: creates the user and the topics it names, binds the token, subscribes.
struct token_registration {
  std::string user; ///< empty: a userless token
  platform provider = platform::apns;
  environment env = environment::production;
  std::string token;
  std::vector<std::string> topics;
};

/// Whether each registration, in order, made a new token row or updated a known one.
struct registration_result {
  std::vector<bool> created;
};

enum class put_outcome : std::uint8_t { created, existing };

/// Users and their tokens. Asynchronous and thread-safe like job_store; what a callback reports as
/// done is durable.
class user_directory {
public:
  virtual ~user_directory() = default;

  virtual void put_user(app_id app, std::string user, callback<put_outcome> done) = 0;
  virtual void get_user(app_id app, std::string user, callback<user_view> done) = 0;
  virtual void list_users(app_id app, page_request page, callback<page_of<user_view>> done) = 0;
  /// Deletes the user, its tokens and subscriptions.
  virtual void delete_user(app_id app, std::string user, callback<unit> done) = 0;
  /// Registers in slices that give way to job commits and outcomes. Registering a known token again
  /// clears its invalidation and moves registered_at; a token of another user gets a new id.
  virtual void register_tokens(app_id app, std::vector<token_registration> tokens,
                               callback<registration_result> done) = 0;
  virtual void list_tokens(app_id app, std::string user, page_request page,
                           callback<page_of<token_view>> done) = 0;
  /// Deletes the token if it is the user's, else not_found.
  virtual void delete_token(app_id app, std::string user, std::string token,
                            callback<unit> done) = 0;
};

/// Topics and subscriptions.
class topic_directory {
public:
  virtual ~topic_directory() = default;

  virtual void put_topic(app_id app, std::string topic, std::optional<std::string> name,
                         callback<put_outcome> done) = 0;
  virtual void get_topic(app_id app, std::string topic, callback<topic_view> done) = 0;
  virtual void list_topics(app_id app, page_request page, callback<page_of<topic_view>> done) = 0;
  virtual void delete_topic(app_id app, std::string topic, callback<unit> done) = 0;
  /// Live tokens in the topic: what a publish would reach now.
  virtual void count_topic(app_id app, std::string topic, callback<std::int64_t> done) = 0;
  virtual void list_subscribers(app_id app, std::string topic, page_request page,
                                callback<page_of<user_view>> done) = 0;
  /// Creates the user and the topic when they do not exist yet.
  virtual void subscribe(app_id app, std::string user, std::string topic,
                         callback<put_outcome> done) = 0;
  virtual void unsubscribe(app_id app, std::string user, std::string topic,
                           callback<unit> done) = 0;
  virtual void list_subscriptions(app_id app, std::string user, page_request page,
                                  callback<page_of<subscription_view>> done) = 0;
};

} // namespace signalbox
