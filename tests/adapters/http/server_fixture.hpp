#pragma once

#include "adapters/http/server.hpp"
#include "tests/adapters/http/raw_client.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <functional>
#include <memory>
#include <mutex>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace signalbox::http {

/// Waits, up to a generous limit, until `condition` holds.
inline bool eventually(const std::function<bool()>& condition) {
  auto limit = std::chrono::steady_clock::now() + std::chrono::seconds{60};
  while (!condition()) {
    if (std::chrono::steady_clock::now() > limit)
      return false;
    std::this_thread::sleep_for(std::chrono::milliseconds{5});
  }
  return true;
}

/// What a streamed body did, for assertions from the test's thread.
struct stream_log {
  std::mutex mutex;
  std::string text;
  bool ended = false;
  bool aborted = false;
};

/// A server with routes that show the core at work: `GET /ping`, `POST /echo`, `POST /held` (the
/// test answers by hand), `POST /dropped` (nobody answers), `POST /thrown`, `POST /stream`
/// (text/plain in pieces).
class server_fixture : public ::testing::Test {
protected:
  void serve(server_options options = {}) {
    router routes;
    routes.add({.method = verb::get, .pattern = "/ping", .handle = [](request&, responder to) {
                  to.answer({.content_type = "text/plain", .body = "pong"});
                }});
    routes.add({.method = verb::post, .pattern = "/echo", .handle = [](request& in, responder to) {
                  to.answer({.content_type = "text/plain", .body = std::move(in.body)});
                }});
    routes.add(
      {.method = verb::get, .pattern = "/items/{item}", .handle = [](request& in, responder to) {
         to.answer({.content_type = "text/plain", .body = in.parameter("item")});
       }});
    routes.add(
      {.method = verb::post, .pattern = "/held", .handle = [this](request& in, responder to) {
         std::lock_guard guard{mutex_};
         held_.emplace_back(std::move(in.body), std::move(to));
       }});
    routes.add({.method = verb::post, .pattern = "/thrown", .handle = [](request&, responder) {
                  throw std::runtime_error{"a handler's"};
                }});
    routes.add({.method = verb::post, .pattern = "/dropped", .handle = [](request&, responder) {}});
    routes.add(
      {.method = verb::post,
       .pattern = "/stream",
       .handle = [](request&, responder to) { to.answer({.status = 415}); },
       .stream_types = {"text/plain"},
       .stream = [this](request&, responder to,
                        body_flow flow) { return open_stream(std::move(to), std::move(flow)); }});
    add_routes(routes);
    options.hosts.emplace_back("a");
    server_ = std::make_unique<server>(options, std::move(routes));
    server_->start();
  }

  raw_client connect() { return raw_client{server_->port()}; }

  bool still_serves() {
    auto client = connect();
    auto answer = client.ask("GET /ping HTTP/1.1\r\nHost: a\r\n\r\n");
    return answer && answer->status == 200 && answer->body == "pong";
  }

  bool no_connection_left() {
    return eventually([this] { return server_->connections() == 0; });
  }

  std::vector<std::pair<std::string, responder>> wait_for_held(std::size_t count) {
    eventually([&] {
      std::lock_guard guard{mutex_};
      return held_.size() >= count;
    });
    std::lock_guard guard{mutex_};
    return std::exchange(held_, {});
  }

  virtual std::shared_ptr<body_sink> open_stream(responder to, body_flow flow);
  virtual void add_routes(router&) {}

  std::mutex mutex_;
  std::vector<std::pair<std::string, responder>> held_;
  stream_log log_;
  std::unique_ptr<server> server_;
};

/// Collects the body and answers with its size.
class logging_sink : public body_sink {
public:
  logging_sink(stream_log& log, responder to) : log_(log), to_(std::move(to)) {}
  bool on_piece(std::string_view piece) override {
    std::lock_guard guard{log_.mutex};
    log_.text += piece;
    return true;
  }
  void on_end() override {
    std::lock_guard guard{log_.mutex};
    log_.ended = true;
    to_.answer({.content_type = "text/plain", .body = std::to_string(log_.text.size())});
  }
  void on_abort() override {
    std::lock_guard guard{log_.mutex};
    log_.aborted = true;
  }

private:
  stream_log& log_;
  responder to_;
};

inline std::shared_ptr<body_sink> server_fixture::open_stream(responder to, body_flow) {
  return std::make_shared<logging_sink>(log_, std::move(to));
}

} // namespace signalbox::http
