#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace signalbox::sim {

/// What a body is read as.
enum class apns_content : std::uint8_t {
  push,          ///< any push type but Live Activities
  live_activity, ///< for a device
  broadcast,     ///< of Live Activities, for a channel
};

/// What the simulator wants to know of an APNs body.
struct apns_payload {
  /// Why it is refused; empty: it is not. A constant.
  std::string_view problem;
  /// The order member of `aps.content-state` of a Live Activity, where it is a number.
  std::optional<double> order;
  /// `aps.timestamp` of a Live Activity, in seconds.
  std::int64_t timestamp_s = 0;
  /// A hash of what a start of a Live Activity says it is: its attributes and their type.
  std::uint64_t attributes = 0;
};

/// Reads APNs bodies; a body equal to the last one read is not parsed again, since a fan-out sends
/// the same one to everybody. Not thread-safe.
///
/// Every body is a JSON object with an `aps` dictionary. That of a Live Activity has (Apple,
/// "Starting and updating Live Activities with ActivityKit push notifications") a `timestamp` in
/// seconds and an `event` start, update or end; a `content-state` for start and update;
/// `attributes-type`, `attributes` and an `alert` for a start, and nothing but a start has
/// `input-push-token` or `input-push-channel`. A broadcast starts nothing.
class apns_payload_reader {
public:
  /// `order_key` names the numeric content-state member that rises with every newer update.
  explicit apns_payload_reader(std::string order_key);
  ~apns_payload_reader();

  /// `body` is followed by `body_padding` readable bytes.
  const apns_payload& read(std::string_view body, apns_content as);

private:
  struct parser;

  apns_payload parse(std::string_view body, apns_content as);

  std::string order_key_;
  std::unique_ptr<parser> parser_;
  std::string latest_body_;
  apns_content latest_as_ = apns_content::push;
  apns_payload latest_;
};

} // namespace signalbox::sim
