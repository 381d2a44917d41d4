#pragma once

#include "adapters/simulator/fcm_error.hpp"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace signalbox::sim {

/// FCM's limit for `notification` and `data` together, as they stand in the request.
inline constexpr std::size_t fcm_payload_limit = 4096;

/// What the simulator wants to know of the body of a `messages:send`.
struct fcm_message {
  fcm_error error;        ///< of the body; where the token is known, it is set all the same
  std::string_view token; ///< empty for a topic or a condition
  /// A hash of the job marker in `data`, where there is one.
  std::optional<std::uint64_t> marker;
  bool validate_only = false;
  /// `data.type` is `live_activity`; then a hash of `data.activity_id`, and the order member of
  /// `data.payload`, a JSON object as text, where it is a number.
  bool is_live_activity = false;
  std::uint64_t activity = 0;
  std::optional<double> order;
};

/// Reads and checks bodies of `messages:send` (Firebase, "REST Resource: projects.messages"):
/// known names in snake_case or lowerCamelCase, types, `data` from text to text without reserved
/// keys, `android.priority` and `android.ttl`, exactly one target, the form of a token, the size.
///
/// A body that differs from the last good one in its token alone is not parsed again, since a
/// fan-out sends the same to everybody. Not thread-safe.
class fcm_message_reader {
public:
  /// `marker_key` is the member of `data` that names the job; empty: none. `order_key` is the
  /// numeric member of a Live Activity's `data.payload` that rises with every newer update.
  fcm_message_reader(std::string marker_key, std::string order_key);
  ~fcm_message_reader();

  /// `body` is followed by `body_padding` readable bytes. The views are valid until the next call
  /// and as long as `body` is.
  const fcm_message& read(std::string_view body);

private:
  struct parser;

  bool is_like_the_last(std::string_view body);
  void parse(std::string_view body);
  void read_activity(std::string_view payload);
  void remember(std::string_view body);

  std::string marker_key_;
  std::string order_key_;
  std::unique_ptr<parser> parser_;
  std::string before_token_; ///< of the last good body; empty: none
  std::string after_token_;
  fcm_message latest_;
};

} // namespace signalbox::sim
