#pragma once

#include "adapters/simulator/apns_request.hpp"

#include <array>
#include <cstddef>
#include <string>
#include <string_view>

namespace signalbox::sim {

/// Why APNs refuses a request. `status` 0: it does not.
struct apns_rejection {
  int status = 0;
  std::string_view reason;
  std::string_view detail = {}; ///< our own word, where Apple has none

  explicit operator bool() const noexcept { return status != 0; }
};

/// The longest body for a push type, or of a broadcast, in bytes.
std::size_t apns_payload_limit(const apns_request& in) noexcept;

/// The checks of APNs that need nothing but the request: Apple, "Sending notification requests to
/// APNs" and "Handling notification responses from APNs". Where Apple does not say which of two
/// reasons applies:
/// - `BadTopic`: no bundle id by its characters, or the bundle's topic of another push type;
/// - `TopicDisallowed`: the bundle with a suffix that no push type has, and push type mdm, which
///   needs a certificate;
/// - `DeviceTokenNotForTopic`: any other bundle.
class apns_rules {
public:
  explicit apns_rules(std::string bundle);

  /// The method, the path, duplicate headers and apns-id: what comes before authentication.
  apns_rejection check_head(const apns_request& in) const;

  /// The other headers and the form of the device token.
  apns_rejection check_message(const apns_request& in) const;

private:
  apns_rejection check_topic(std::size_t type, std::string_view topic) const;

  std::string bundle_;
  std::array<std::string, 11> topics_;
};

} // namespace signalbox::sim
