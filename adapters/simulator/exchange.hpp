#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace signalbox::sim {

struct header_field {
  std::string_view name;
  std::string_view value;
};

/// A complete request. The views are valid while it is handled.
struct request {
  std::string_view method;
  std::string_view path;
  /// Regular fields in the order they came, names in lower case.
  std::span<const header_field> fields;
  /// Followed by at least `body_padding` readable bytes. Cut off at `body_limit`.
  std::string_view body;
  /// As received, also where `body` was cut off.
  std::size_t body_size = 0;
};

/// What a JSON parser may read past a body, and the longest body kept, in bytes.
inline constexpr std::size_t body_padding = 64;
inline constexpr std::size_t body_limit = 64 * 1024;

/// What the simulator does with a request. Reused from stream to stream, so that a request
/// allocates nothing.
struct answer {
  enum class fate {
    /// Sent as the other members say.
    sent,
    /// The stream stays open and silent.
    silent,
    /// The connection is reset.
    reset,
  };
  fate what = fate::sent;
  int status = 200;
  /// The `apns-id` header, or `apns-request-id`; empty for none.
  std::string_view apns_id;
  bool is_request_id = false;
  std::array<char, 36> apns_id_text;
  /// The `apns-unique-id` header; empty for none.
  std::string unique_id;
  /// The `content-type` header, a constant; empty for none.
  std::string_view content_type;
  /// The `apns-channel-id` header; empty for none.
  std::string channel_id;
  /// The `retry-after` header in seconds; 0 for none.
  std::int64_t retry_after_s = 0;
  std::string body;
  /// The client has shown valid credentials, which ends a connection's warm-up.
  bool authenticated = false;
  /// The request is one of those that the counters call so.
  bool is_counted = false;

  void clear() {
    what = fate::sent;
    status = 200;
    apns_id = {};
    is_request_id = false;
    unique_id.clear();
    channel_id.clear();
    content_type = {};
    retry_after_s = 0;
    body.clear();
    authenticated = false;
    is_counted = false;
  }
};

} // namespace signalbox::sim
