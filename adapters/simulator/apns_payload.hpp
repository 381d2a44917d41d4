#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace signalbox::sim {

/// What the simulator wants to know of an APNs body.
struct apns_payload {
  /// A JSON object with an `aps` dictionary.
  bool well_formed = false;
  /// The order member of `aps.content-state`, where it is a number.
  std::optional<double> order;
};

/// Reads APNs bodies; a body equal to the last one read is not parsed again, since a fan-out sends
/// the same one to everybody. Not thread-safe.
class apns_payload_reader {
public:
  /// `order_key` names the numeric content-state member that rises with every newer update.
  explicit apns_payload_reader(std::string order_key);
  ~apns_payload_reader();

  /// `body` is followed by `body_padding` readable bytes.
  const apns_payload& read(std::string_view body);

private:
  struct parser;

  apns_payload parse(std::string_view body);

  std::string order_key_;
  std::unique_ptr<parser> parser_;
  std::string latest_body_;
  apns_payload latest_;
};

} // namespace signalbox::sim
