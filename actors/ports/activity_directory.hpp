#pragma once

#include "actors/ports/callback.hpp"
#include "actors/ports/directory.hpp"
#include "actors/ports/job_reader.hpp"
#include "actors/ports/page.hpp"
#include "messages/activity.hpp"

#include <cstdint>
#include <optional>
#include <string>

namespace signalbox {

/// A Live Activity token as its device registers it: creates the user, and what is named.
struct activity_token_registration {
  std::string user;
  platform provider = platform::apns;
  environment env = environment::production;
  token_kind kind = token_kind::update; ///< start only for APNs
  std::string token;
  std::string topic;    ///< subscribes the user; empty: none
  std::string activity; ///< binds the token, also to an id that is not known yet; empty: none
  std::optional<timestamp> expires_at; ///< APNs update tokens live 8 h at most
};

struct activity_view {
  std::string id;
  std::string type;
  scope_kind scope = scope_kind::user;
  std::string scope_name;
  std::string channel; ///< empty: none
  activity_status status = activity_status::active;
  bool starting = false;     ///< its start is still going out
  std::int64_t seq = 0;      ///< of the last dispatch
  std::string content_state; ///< the latest accepted, a JSON object; empty: none
  timestamp created_at;
  timestamp expires_at;
  std::optional<timestamp> closed_at;
};

struct dispatch_view {
  std::int64_t seq = 0;
  activity_action action = activity_action::start;
  job_view job;
};

/// Live Activities and their tokens and subscriptions. Requests about an activity are jobs
/// (new_job::activity). Asynchronous and thread-safe like job_store; what a callback reports as
/// done is durable.
class activity_directory {
public:
  virtual ~activity_directory() = default;

  /// `created`: a new token row. A token that changes its user gets a new row, without bindings.
  virtual void register_activity_token(app_id app, activity_token_registration token,
                                       callback<put_outcome> done) = 0;
  /// Deletes the user's Live Activity token of this text, else not_found.
  virtual void delete_activity_token(app_id app, std::string user, std::string token,
                                     callback<unit> done) = 0;
  /// Subscriptions of Live Activities are their own. Creates the user and the topic.
  virtual void subscribe_activities(app_id app, std::string user, std::string topic,
                                    callback<put_outcome> done) = 0;
  virtual void unsubscribe_activities(app_id app, std::string user, std::string topic,
                                      callback<unit> done) = 0;
  virtual void get_activity(app_id app, std::string activity, callback<activity_view> done) = 0;
  /// Newest first.
  virtual void list_dispatches(app_id app, std::string activity, page_request page,
                               callback<page_of<dispatch_view>> done) = 0;
};

} // namespace signalbox
