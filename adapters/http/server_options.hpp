#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace signalbox::http {

/// Sizes and times of the HTTP server. Every buffer it keeps is bounded by one of them.
struct server_options {
  std::string address = "127.0.0.1"; ///< IPv4 or IPv6, numeric
  std::uint16_t port = 0;            ///< 0: the system picks a free one
  unsigned threads = 1;
  /// Names that a request may give as its host beside addresses and `localhost`; lower case.
  std::vector<std::string> hosts{};
  /// Over it, a connection gets 503 and is closed.
  std::size_t max_connections = 10'000;
  /// Connections over the limit that wait at a time to hear so; more are closed at once.
  std::size_t max_refused = 256;
  /// Requests under way on one connection; at the limit it is not read from.
  std::size_t max_pipelined = 64;
  std::size_t max_header = 16 * 1024; ///< bytes of request line and fields
  std::size_t max_body = 1024 * 1024; ///< bytes, for routes without their own limit
  /// Bytes over all connections: of bodies that are not complete, and as many again of those over
  /// `large_body` whose requests are not answered.
  std::size_t max_buffered_bodies = 64 * 1024 * 1024;
  std::size_t large_body = 16 * 1024; ///< bytes
  /// Bytes of answers that clients have not taken, over all connections of a thread. Over it, those
  /// that have taken nothing for the longest time are closed.
  std::size_t max_unsent_answers = 64 * 1024 * 1024;
  std::chrono::milliseconds header_timeout{10'000}; ///< from the first byte to the last field
  /// In every such span a body that is waited for must bring `min_body_bytes`, or end.
  std::chrono::milliseconds body_timeout{30'000};
  std::size_t min_body_bytes = 16 * 1024;
  /// So many spans a body that is kept in memory may take in all; an import may take longer.
  int max_body_spans = 10;
  std::chrono::milliseconds idle_timeout{75'000};  ///< nothing asked, or nothing taken
  std::chrono::milliseconds linger_timeout{2'000}; ///< wait for the peer's close after ours
  /// Called on I/O threads when all that was ready has been handled.
  std::function<void()> on_idle = [] {};
};

} // namespace signalbox::http
