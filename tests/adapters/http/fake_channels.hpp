#pragma once

#include "actors/ports/broadcast_channels.hpp"
#include "tests/adapters/http/call_log.hpp"

#include <string>

namespace signalbox::http {

/// Writes down every call and answers with what the test has set.
class fake_channels final : public broadcast_channels {
public:
  explicit fake_channels(call_log& log) : log_(log) {}

  void create_channel(app_id, environment env, message_storage storage,
                      callback<std::string> done) override {
    log_.note("create_channel " + text(env) +
              (storage == message_storage::latest ? " latest" : " none"));
    done({code, "told so", "dGVzdA=="});
  }
  void list_channels(app_id, environment env, page_request page,
                     callback<page_of<std::string>> done) override {
    log_.note("list_channels " + text(env) + " after=" + page.after +
              " limit=" + std::to_string(page.limit));
    done({code, "told so", {{"a+/=", "dGVzdA=="}, "dGVzdA=="}});
  }
  void delete_channel(app_id, environment env, std::string channel, callback<unit> done) override {
    log_.note("delete_channel " + text(env) + " " + channel);
    done({code, "told so", {}});
  }

  errc code = errc::ok;

private:
  static std::string text(environment env) {
    return env == environment::sandbox ? "sandbox" : "production";
  }

  call_log& log_;
};

} // namespace signalbox::http
