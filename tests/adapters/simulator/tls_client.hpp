#pragma once

#include "tests/adapters/simulator/simulator_fixture.hpp"

#include <boost/asio/buffer.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/message.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/string_body.hpp>
#include <boost/beast/http/write.hpp>
#include <nghttp2/nghttp2.h>
#include <openssl/ssl.h>

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace signalbox::sim::test {

/// A blocking TLS connection whose ALPN is chosen, to speak HTTP/1.1 on it, HTTP/2, or nothing of
/// the kind.
class tls_client {
public:
  using http1_response = boost::beast::http::response<boost::beast::http::string_body>;

  /// `alpn` as on the wire, each protocol after its length; empty: none is offered. Throws
  /// `boost::system::system_error` where the handshake fails.
  tls_client(std::uint16_t port, const tls_material& tls, std::string_view alpn) {
    context_.load_verify_file(tls.ca.string());
    stream_.emplace(io_, context_);
    stream_->set_verify_mode(boost::asio::ssl::verify_peer);
    if (!alpn.empty())
      SSL_set_alpn_protos(stream_->native_handle(),
                          reinterpret_cast<const unsigned char*>(alpn.data()),
                          static_cast<unsigned>(alpn.size()));
    stream_->next_layer().connect({boost::asio::ip::address_v4::loopback(), port});
    stream_->handshake(boost::asio::ssl::stream_base::client);
  }

  void write(std::string_view bytes) {
    boost::asio::write(*stream_, boost::asio::buffer(bytes.data(), bytes.size()));
  }

  static std::string http1_text(const message& what) {
    auto text = what.method + " " + what.path + " HTTP/1.1\r\nHost: localhost\r\n";
    for (const auto& [name, value] : what.fields)
      text += name + ": " + value + "\r\n";
    return text + "Content-Length: " + std::to_string(what.body.size()) + "\r\n\r\n" + what.body;
  }

  /// The next answer in HTTP/1.1; nothing when the connection ends instead.
  std::optional<http1_response> read_http1() {
    http1_response response;
    boost::beast::error_code error;
    boost::beast::http::read(*stream_, buffer_, response, error);
    return error ? std::nullopt : std::optional{std::move(response)};
  }

  std::optional<http1_response> send_http1(const message& what) {
    write(http1_text(what));
    return read_http1();
  }

  /// One request in HTTP/2, and the answer's status; 0 when the connection ends instead.
  int send_http2(const message& what) {
    nghttp2_session_callbacks* callbacks = nullptr;
    nghttp2_session_callbacks_new(&callbacks);
    nghttp2_session_callbacks_set_on_header_callback(callbacks, on_header);
    nghttp2_session* session = nullptr;
    int status = 0;
    nghttp2_session_client_new(&session, callbacks, &status);
    nghttp2_session_callbacks_del(callbacks);
    nghttp2_submit_settings(session, NGHTTP2_FLAG_NONE, nullptr, 0);
    const std::array<std::pair<std::string, std::string>, 4> names{{{":method", what.method},
                                                                    {":scheme", "https"},
                                                                    {":authority", "localhost"},
                                                                    {":path", what.path}}};
    std::vector<nghttp2_nv> fields;
    const auto add = [&](const std::string& name, const std::string& value) {
      fields.push_back({reinterpret_cast<std::uint8_t*>(const_cast<char*>(name.data())),
                        reinterpret_cast<std::uint8_t*>(const_cast<char*>(value.data())),
                        name.size(), value.size(), NGHTTP2_NV_FLAG_NONE});
    };
    for (const auto& [name, value] : names)
      add(name, value);
    for (const auto& [name, value] : what.fields)
      add(name, value);
    nghttp2_submit_request(session, nullptr, fields.data(), fields.size(), nullptr, nullptr);
    std::array<std::uint8_t, 4096> in;
    boost::system::error_code error;
    while (!error && status == 0) {
      const std::uint8_t* out = nullptr;
      while (const auto size = nghttp2_session_mem_send(session, &out))
        write({reinterpret_cast<const char*>(out), static_cast<std::size_t>(size)});
      const auto size = stream_->read_some(boost::asio::buffer(in), error);
      if (nghttp2_session_mem_recv(session, in.data(), size) < 0)
        break;
    }
    nghttp2_session_del(session);
    return status;
  }

  /// Waits for the peer to end the connection.
  boost::system::error_code read_end() {
    boost::system::error_code error;
    std::array<char, 4096> ignored;
    while (!error)
      stream_->read_some(boost::asio::buffer(ignored), error);
    return error;
  }

private:
  static int on_header(nghttp2_session*, const nghttp2_frame*, const std::uint8_t* name,
                       std::size_t name_size, const std::uint8_t* value, std::size_t value_size,
                       std::uint8_t, void* status) {
    if (std::string_view{reinterpret_cast<const char*>(name), name_size} == ":status")
      *static_cast<int*>(status) = std::stoi(std::string(value, value + value_size));
    return 0;
  }

  boost::asio::io_context io_;
  boost::asio::ssl::context context_{boost::asio::ssl::context::tls_client};
  std::optional<boost::asio::ssl::stream<boost::asio::ip::tcp::socket>> stream_;
  boost::beast::flat_buffer buffer_;
};

} // namespace signalbox::sim::test
