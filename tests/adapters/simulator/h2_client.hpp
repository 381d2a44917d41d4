#pragma once

#include "adapters/http2/tls_stream.hpp"
#include "tests/adapters/simulator/simulator_fixture.hpp"

#include <boost/asio/io_context.hpp>
#include <nghttp2/nghttp2.h>

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace signalbox::sim::test {

struct response {
  int status = 0;
  std::map<std::string, std::string> fields;
  std::string body;
  /// The stream has ended, by an answer or by `error`.
  bool ended = false;
  std::uint32_t error = NGHTTP2_NO_ERROR;
};

/// One HTTP/2 connection over TLS, driven by `wait`.
class h2_client final : public tls_stream::handler {
public:
  h2_client(std::uint16_t port, const tls_material& tls) {
    context_.load_verify_file(tls.ca.string());
    stream_ = std::make_shared<tls_stream>(io_.get_executor(), context_, *this);
    stream_->socket().connect({boost::asio::ip::address_v4::loopback(), port});
    stream_->start_client("localhost");
    wait([this] { return max_streams.has_value() || closed; });
  }
  ~h2_client() {
    stream_->detach();
    nghttp2_session_del(session_);
  }
  h2_client(const h2_client&) = delete;
  h2_client& operator=(const h2_client&) = delete;

  /// Queues a request; `wait` sends it.
  std::int32_t submit(const message& what) {
    std::vector<nghttp2_nv> fields;
    const auto add = [&](const std::string& name, const std::string& value) {
      fields.push_back({reinterpret_cast<std::uint8_t*>(const_cast<char*>(name.data())),
                        reinterpret_cast<std::uint8_t*>(const_cast<char*>(value.data())),
                        name.size(), value.size(), NGHTTP2_NV_FLAG_NONE});
    };
    const std::string authority = "localhost";
    const std::string names[] = {":method", ":scheme", ":path", ":authority"};
    add(names[0], what.method);
    add(names[1], scheme);
    add(names[2], what.path);
    add(names[3], authority);
    for (const auto& [name, value] : what.fields)
      add(name, value);
    auto& body = bodies_.emplace_back(std::make_unique<upload>(upload{what.body, 0}));
    nghttp2_data_provider source{};
    source.source.ptr = body.get();
    source.read_callback = read_upload;
    return nghttp2_submit_request(session_, nullptr, fields.data(), fields.size(),
                                  what.body.empty() ? nullptr : &source, nullptr);
  }

  /// Cancels a stream.
  void cancel(std::int32_t id) {
    nghttp2_submit_rst_stream(session_, NGHTTP2_FLAG_NONE, id, NGHTTP2_CANCEL);
  }

  /// Sends one request and waits for the end of its stream.
  response send(const message& what) {
    const auto id = submit(what);
    wait([&] { return responses[id].ended || closed; });
    return responses[id];
  }

  /// Runs until `done`, for at most 60 s; whether it was.
  bool wait(const std::function<bool()>& done) {
    const auto limit = std::chrono::steady_clock::now() + std::chrono::seconds{60};
    if (session_ != nullptr)
      stream_->flush();
    while (!done() && std::chrono::steady_clock::now() < limit) {
      io_.restart();
      io_.run_one_for(std::chrono::milliseconds{50});
    }
    return done();
  }

  /// Waits for a PING's answer: the server has then read everything sent before.
  bool round_trip() {
    const auto before = pings;
    nghttp2_submit_ping(session_, NGHTTP2_FLAG_NONE, nullptr);
    return wait([&] { return pings > before; });
  }

  std::string scheme = "https";
  std::map<std::int32_t, response> responses;
  std::optional<std::uint32_t> max_streams;
  std::optional<std::int32_t> goaway_last_stream;
  int pings = 0;
  bool closed = false;
  tls_stream::error_code close_error;

private:
  struct upload {
    std::string text;
    std::size_t sent = 0;
  };

  static ssize_t read_upload(nghttp2_session*, std::int32_t, std::uint8_t* out, std::size_t size,
                             std::uint32_t* flags, nghttp2_data_source* source, void*) {
    auto& from = *static_cast<upload*>(source->ptr);
    const auto count = from.text.copy(reinterpret_cast<char*>(out), size, from.sent);
    from.sent += count;
    if (from.sent == from.text.size())
      *flags |= NGHTTP2_DATA_FLAG_EOF;
    return static_cast<ssize_t>(count);
  }

  static h2_client& self(void* user_data) { return *static_cast<h2_client*>(user_data); }

  static int on_header(nghttp2_session*, const nghttp2_frame* frame, const std::uint8_t* name,
                       std::size_t name_size, const std::uint8_t* value, std::size_t value_size,
                       std::uint8_t, void* user_data) {
    auto& into = self(user_data).responses[frame->hd.stream_id];
    const std::string key(name, name + name_size);
    const std::string text(value, value + value_size);
    if (key == ":status")
      into.status = std::stoi(text);
    else
      into.fields[key] = text;
    return 0;
  }

  static int on_data(nghttp2_session*, std::uint8_t, std::int32_t id, const std::uint8_t* data,
                     std::size_t size, void* user_data) {
    self(user_data).responses[id].body.append(reinterpret_cast<const char*>(data), size);
    return 0;
  }

  static int on_frame(nghttp2_session* session, const nghttp2_frame* frame, void* user_data) {
    auto& client = self(user_data);
    if (frame->hd.type == NGHTTP2_SETTINGS && (frame->hd.flags & NGHTTP2_FLAG_ACK) == 0)
      client.max_streams =
        nghttp2_session_get_remote_settings(session, NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS);
    if (frame->hd.type == NGHTTP2_GOAWAY)
      client.goaway_last_stream = frame->goaway.last_stream_id;
    if (frame->hd.type == NGHTTP2_PING && (frame->hd.flags & NGHTTP2_FLAG_ACK) != 0)
      ++client.pings;
    return 0;
  }

  static int on_stream_close(nghttp2_session*, std::int32_t id, std::uint32_t error,
                             void* user_data) {
    auto& into = self(user_data).responses[id];
    into.ended = true;
    into.error = error;
    return 0;
  }

  void on_open() override {
    nghttp2_session_callbacks* callbacks = nullptr;
    nghttp2_session_callbacks_new(&callbacks);
    nghttp2_session_callbacks_set_on_header_callback(callbacks, on_header);
    nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks, on_data);
    nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks, on_frame);
    nghttp2_session_callbacks_set_on_stream_close_callback(callbacks, on_stream_close);
    nghttp2_option* options = nullptr;
    nghttp2_option_new(&options);
    // So that a test can send what a correct client would not.
    nghttp2_option_set_no_http_messaging(options, 1);
    nghttp2_option_set_peer_max_concurrent_streams(options, 1000);
    nghttp2_session_client_new2(&session_, callbacks, this, options);
    nghttp2_option_del(options);
    nghttp2_session_callbacks_del(callbacks);
    nghttp2_submit_settings(session_, NGHTTP2_FLAG_NONE, nullptr, 0);
  }
  bool on_bytes(std::span<const std::uint8_t> bytes) override {
    return nghttp2_session_mem_recv(session_, bytes.data(), bytes.size()) >= 0;
  }
  void fill(std::vector<std::uint8_t>& out, std::size_t limit) override {
    while (out.size() < limit) {
      const std::uint8_t* data = nullptr;
      const auto size = nghttp2_session_mem_send(session_, &data);
      if (size <= 0)
        return;
      out.insert(out.end(), data, data + size);
    }
  }
  void on_close(tls_stream::error_code error) override {
    closed = true;
    close_error = error;
  }

  boost::asio::io_context io_;
  boost::asio::ssl::context context_{boost::asio::ssl::context::tls_client};
  std::shared_ptr<tls_stream> stream_;
  nghttp2_session* session_ = nullptr;
  std::vector<std::unique_ptr<upload>> bodies_;
};

} // namespace signalbox::sim::test
