// The activity_directory side of sqlite_store.

#include "adapters/store/sqlite/activities.hpp"
#include "adapters/store/sqlite/activity_tokens.hpp"
#include "adapters/store/sqlite/engine.hpp"

#include <utility>

namespace signalbox {

using sqlite::connection;
using sqlite::read_class;

void sqlite_store::register_activity_token(app_id app, activity_token_registration token,
                                           callback<put_outcome> done) {
  done = engine_->admit_new(std::move(done));
  if (!done)
    return;
  engine_->import <put_outcome>(
    std::move(done), [this, app, token = std::move(token)](connection& database) {
      return result<put_outcome>::success(
        sqlite::register_activity_token(database, app, token, engine_->shared().now()));
    });
}

void sqlite_store::delete_activity_token(app_id app, std::string user, std::string token,
                                         callback<unit> done) {
  if (done = engine_->admit(std::move(done)); done)
    engine_->import <unit>(std::move(done), [=](connection& database) {
      return sqlite::delete_activity_token(database, app, user, token)
               ? result<unit>{}
               : result<unit>::failure(errc::not_found,
                                       "user '" + user + "' has no such Live Activity token");
    });
}

void sqlite_store::subscribe_activities(app_id app, std::string user, std::string topic,
                                        callback<put_outcome> done) {
  if (done = engine_->admit_new(std::move(done)); done)
    engine_->import <put_outcome>(std::move(done), [=, this](connection& database) {
      return result<put_outcome>::success(
        sqlite::subscribe_activities(database, app, user, topic, engine_->shared().now()));
    });
}

void sqlite_store::unsubscribe_activities(app_id app, std::string user, std::string topic,
                                          callback<unit> done) {
  if (done = engine_->admit(std::move(done)); done)
    engine_->import <unit>(std::move(done), [=](connection& database) {
      return sqlite::unsubscribe_activities(database, app, user, topic)
               ? result<unit>{}
               : result<unit>::failure(errc::not_found, "user '" + user +
                                                          "' is not subscribed to activities of '" +
                                                          topic + "'");
    });
}

void sqlite_store::get_activity(app_id app, std::string activity, callback<activity_view> done) {
  if (done = engine_->admit(std::move(done)); done)
    engine_->read<activity_view>(
      read_class::lookups, std::move(done), [=, this](connection& database) {
        return sqlite::read_activity(database, app, activity, engine_->shared().now());
      });
}

void sqlite_store::list_dispatches(app_id app, std::string activity, page_request page,
                                   callback<page_of<dispatch_view>> done) {
  if (done = engine_->admit(std::move(done)); done)
    engine_->read<page_of<dispatch_view>>(
      read_class::queries, std::move(done),
      [=](connection& database) { return sqlite::read_dispatches(database, app, activity, page); });
}

} // namespace signalbox
