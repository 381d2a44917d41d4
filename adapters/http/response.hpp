#pragma once

#include "adapters/http/body_stream.hpp"

#include <chrono>
#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace signalbox::http {

/// An answer to one request, complete in memory but for a stream. Build it on any thread.
struct response {
  unsigned status = 200;
  /// Must point to static storage; empty means no Content-Type.
  std::string_view content_type = "application/json";
  std::string body{};
  /// Further header fields. Values must not contain CR or LF.
  std::vector<std::pair<std::string, std::string>> headers{};
  /// What the body is instead.
  std::shared_ptr<body_stream> stream{};
};

/// What the connection knows about the exchange that a response belongs to.
struct framing {
  bool reads = false;     ///< answer to GET or HEAD, which may be large
  bool head = false;      ///< answer to HEAD: the length is stated, the body is not sent
  bool keep_alive = true; ///< false adds `Connection: close`
  bool http_1_0 = false;  ///< a kept HTTP/1.0 connection must say so
};

/// Appends the HTTP/1.1 form of `answer` (RFC 9112) to `out`, of one with a stream the head. `date`
/// is an IMF-fixdate.
void serialize(const response& answer, const framing& frame, std::string_view date,
               std::string& out);

/// Whether the stream of an answer leaves in chunks (RFC 9112, section 7.1); else its end is the
/// connection's.
bool is_chunked(const framing& frame);

/// Appends `piece` as a chunk; an empty one is the last.
void append_chunk(std::string_view piece, std::string& out);

/// The reason phrase of `status`, "Unknown" when it is not one the server uses.
std::string_view reason_phrase(unsigned status);

/// `time` as an IMF-fixdate (RFC 9110, section 5.6.7), e.g. `Sun, 06 Nov 1994 08:49:37 GMT`.
std::string format_http_date(std::chrono::system_clock::time_point time);

} // namespace signalbox::http
