// The user_directory and topic_directory sides of sqlite_store.

#include "adapters/store/sqlite/directory_rows.hpp"
#include "adapters/store/sqlite/engine.hpp"

#include <utility>

namespace signalbox {

using sqlite::connection;
using sqlite::read_class;

namespace {

template <class T>
result<T> success(T value) {
  return result<T>::success(std::move(value));
}

} // namespace

void sqlite_store::put_user(app_id app, std::string user, callback<put_outcome> done) {
  if (done = engine_->admit_new(std::move(done)); done)
    engine_->import <put_outcome>(std::move(done), [=, this](connection& database) {
      return success(sqlite::put_user(database, app, user, engine_->shared().now()));
    });
}

void sqlite_store::get_user(app_id app, std::string user, callback<user_view> done) {
  if (done = engine_->admit(std::move(done)); done)
    engine_->read<user_view>(read_class::lookups, std::move(done), [=](connection& database) {
      return sqlite::read_user(database, app, user);
    });
}

void sqlite_store::list_users(app_id app, page_request page, callback<page_of<user_view>> done) {
  if (done = engine_->admit(std::move(done)); done)
    engine_->read<page_of<user_view>>(
      read_class::queries, std::move(done),
      [=](connection& database) { return success(sqlite::read_users(database, app, page)); });
}

void sqlite_store::delete_user(app_id app, std::string user, callback<unit> done) {
  done = engine_->admit(std::move(done));
  if (!done)
    return;
  auto note = [this, done](result<unit> deleted) {
    engine_->directory_changed();
    done(std::move(deleted));
  };
  engine_->import <unit>(std::move(note), [=](connection& database) {
    return sqlite::delete_user(database, app, user);
  });
}

void sqlite_store::register_tokens(app_id app, std::vector<token_registration> tokens,
                                   callback<registration_result> done) {
  done = engine_->admit_new(std::move(done));
  if (!done)
    return;
  auto run = std::make_shared<sqlite::registration_run>();
  run->app = app;
  run->tokens = std::move(tokens);
  run->result.created.reserve(run->tokens.size());
  auto note = [this, run] {
    if (run->has_replaced)
      engine_->directory_changed();
  };
  engine_->writer().submit({[this, run](connection& database, const sqlite::time_slice& slice) {
                              return sqlite::register_some(database, *run, engine_->shared().now(),
                                                           slice);
                            },
                            [run, note, done](const sqlite::write_status& status) {
                              note();
                              done(status.ok() ? success(std::move(run->result))
                                               : engine::failed<registration_result>(status));
                            },
                            note});
}

void sqlite_store::list_tokens(app_id app, std::string user, page_request page,
                               callback<page_of<token_view>> done) {
  if (done = engine_->admit(std::move(done)); done)
    engine_->read<page_of<token_view>>(
      read_class::queries, std::move(done),
      [=](connection& database) { return sqlite::read_tokens(database, app, user, page); });
}

void sqlite_store::delete_token(app_id app, std::string user, std::string token,
                                callback<unit> done) {
  done = engine_->admit(std::move(done));
  if (!done)
    return;
  auto note = [this, done](result<unit> deleted) {
    engine_->directory_changed();
    done(std::move(deleted));
  };
  engine_->import <unit>(std::move(note), [=](connection& database) {
    return sqlite::delete_token(database, app, user, token);
  });
}

void sqlite_store::put_topic(app_id app, std::string topic, std::optional<std::string> name,
                             callback<put_outcome> done) {
  if (done = engine_->admit_new(std::move(done)); done)
    engine_->import <put_outcome>(std::move(done), [=, this](connection& database) {
      return success(sqlite::put_topic(database, app, topic, name, engine_->shared().now()));
    });
}

void sqlite_store::get_topic(app_id app, std::string topic, callback<topic_view> done) {
  if (done = engine_->admit(std::move(done)); done)
    engine_->read<topic_view>(read_class::lookups, std::move(done), [=](connection& database) {
      return sqlite::read_topic(database, app, topic);
    });
}

void sqlite_store::list_topics(app_id app, page_request page, callback<page_of<topic_view>> done) {
  if (done = engine_->admit(std::move(done)); done)
    engine_->read<page_of<topic_view>>(
      read_class::queries, std::move(done),
      [=](connection& database) { return success(sqlite::read_topics(database, app, page)); });
}

void sqlite_store::delete_topic(app_id app, std::string topic, callback<unit> done) {
  done = engine_->admit(std::move(done));
  if (!done)
    return;
  auto remove_rows = [this, done](result<std::int64_t> deleted) {
    if (deleted.ok())
      engine_->remove_topic(deleted.value);
    done({deleted.code, std::move(deleted.message), {}});
  };
  engine_->import <std::int64_t>(std::move(remove_rows), [=](connection& database) {
    return sqlite::delete_topic(database, app, topic);
  });
}

void sqlite_store::count_topic(app_id app, std::string topic, callback<std::int64_t> done) {
  if (done = engine_->admit(std::move(done)); done)
    engine_->read<std::int64_t>(read_class::lookups, std::move(done), [=](connection& database) {
      return sqlite::count_topic(database, app, topic);
    });
}

void sqlite_store::list_subscribers(app_id app, std::string topic, page_request page,
                                    callback<page_of<user_view>> done) {
  if (done = engine_->admit(std::move(done)); done)
    engine_->read<page_of<user_view>>(
      read_class::queries, std::move(done),
      [=](connection& database) { return sqlite::read_subscribers(database, app, topic, page); });
}

void sqlite_store::subscribe(app_id app, std::string user, std::string topic,
                             callback<put_outcome> done) {
  if (done = engine_->admit_new(std::move(done)); done)
    engine_->import <put_outcome>(std::move(done), [=, this](connection& database) {
      return success(sqlite::subscribe(database, app, user, topic, engine_->shared().now()));
    });
}

void sqlite_store::unsubscribe(app_id app, std::string user, std::string topic,
                               callback<unit> done) {
  if (done = engine_->admit(std::move(done)); done)
    engine_->import <unit>(std::move(done), [=](connection& database) {
      return sqlite::unsubscribe(database, app, user, topic);
    });
}

void sqlite_store::list_subscriptions(app_id app, std::string user, page_request page,
                                      callback<page_of<subscription_view>> done) {
  if (done = engine_->admit(std::move(done)); done)
    engine_->read<page_of<subscription_view>>(
      read_class::queries, std::move(done),
      [=](connection& database) { return sqlite::read_subscriptions(database, app, user, page); });
}

} // namespace signalbox
