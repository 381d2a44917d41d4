#pragma once

#include "messages/destination.hpp"

#include <chrono>
#include <cstddef>
#include <optional>
#include <string>

namespace signalbox {

class connection_board;

/// Where a TCP connection goes.
struct network_host {
  std::string host; ///< a name or a literal address
  std::string port = "443";
};

/// As in a URI: "api.push.apple.com:443", "[::1]:443" (RFC 3986, 3.2.2).
std::string host_and_port(const network_host& at);
/// The same without the port of https: the `:authority` of requests (RFC 9113, 8.3.1).
std::string authority_of(const network_host& server);

/// An HTTP proxy that connections are tunnelled through by CONNECT (RFC 9110, 9.3.6).
struct http_proxy {
  network_host at;
  std::string authorization; ///< value of Proxy-Authorization; empty: no such header
};

/// What is kept of a response beside its status and `retry-after`.
struct response_rule {
  std::string header;            ///< the name of one more header, in lower case; empty: none
  std::size_t body_limit = 4096; ///< bytes, from the start
};

/// What one HTTP/2 client connection keeps to.
struct connection_limits {
  std::size_t max_streams = 100; ///< open at a time; the peer's SETTINGS may lower it
  /// From the submit to the end of the response.
  std::chrono::milliseconds request_timeout{10'000};
  /// Name resolution, TCP, proxy and TLS together.
  std::chrono::milliseconds connect_timeout{10'000};
  /// Silence after which a PING asks whether the peer is still there, and how long its answer may
  /// take before the connection is taken for dead.
  std::chrono::milliseconds ping_interval{30'000};
  std::chrono::milliseconds ping_timeout{10'000};
  /// Without a request for this long, the connection is closed.
  std::chrono::milliseconds idle_timeout{30 * 60'000};
};

/// How one HTTP/2 client connection behaves.
struct client_options : connection_limits {
  network_host server;
  std::optional<http_proxy> proxy;
  response_rule keeps;
  destination dest;                  ///< whose host the server is
  connection_board* board = nullptr; ///< is told how the connection fares; null: nobody is
};

} // namespace signalbox
