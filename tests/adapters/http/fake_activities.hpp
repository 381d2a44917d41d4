#pragma once

#include "actors/ports/activity_directory.hpp"
#include "tests/adapters/http/call_log.hpp"

#include <string>
#include <vector>

namespace signalbox::http {

/// Writes down every call and answers with what the test has set.
class fake_activities final : public activity_directory {
public:
  explicit fake_activities(call_log& log) : log_(log) {
    view.id = "a";
    view.type = "match";
    view.scope_name = "u";
    view.seq = 3;
    view.content_state = R"({"n":1})";
  }

  void register_activity_token(app_id, activity_token_registration token,
                               callback<put_outcome> done) override {
    log_.note("register " + token.user + " " + token.token + " " +
              std::string{to_string(token.kind)} + " topic=" + token.topic +
              " activity=" + token.activity);
    done({code, "told so", put});
  }
  void delete_activity_token(app_id, std::string user, std::string token,
                             callback<unit> done) override {
    log_.note("delete " + user + " " + token);
    done({code, "told so", {}});
  }
  void subscribe_activities(app_id, std::string user, std::string topic,
                            callback<put_outcome> done) override {
    log_.note("subscribe " + user + " " + topic);
    done({code, "told so", put});
  }
  void unsubscribe_activities(app_id, std::string user, std::string topic,
                              callback<unit> done) override {
    log_.note("unsubscribe " + user + " " + topic);
    done({code, "told so", {}});
  }
  void get_activity(app_id, std::string activity, callback<activity_view> done) override {
    log_.note("get_activity " + activity);
    done({code, "told so", view});
  }
  void list_dispatches(app_id, std::string activity, page_request page,
                       callback<page_of<dispatch_view>> done) override {
    log_.note("list_dispatches " + activity + " after=" + page.after +
              " limit=" + std::to_string(page.limit));
    done({code, "told so", {dispatches, next}});
  }

  errc code = errc::ok;
  put_outcome put = put_outcome::created;
  activity_view view;
  std::vector<dispatch_view> dispatches;
  std::string next;

private:
  call_log& log_;
};

} // namespace signalbox::http
