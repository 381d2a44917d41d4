#pragma once

#include "adapters/payload/push_content.hpp"

#include <cstddef>
#include <string>
#include <string_view>

namespace signalbox {

/// What a push type asks of a request (Apple, "Sending notification requests to APNs").
struct apns_push_type {
  std::string_view name;
  std::string_view topic_suffix;          ///< after the bundle
  std::size_t payload_limit_bytes = 4096; ///< of a request to a device
};

/// Null for what APNs does not know, and for mdm, which takes a certificate.
const apns_push_type* find_apns_push_type(std::string_view name);

/// The `apns` object of a request: `headers` that it sets, and `payload`, which is merged over what
/// is generated. Views of the job's payload.
class apns_overlay {
public:
  explicit apns_overlay(const push_content& content);

  /// What the request sets this header to; empty: it does not.
  std::string header(std::string_view name) const;

  /// JSON; empty: none.
  std::string_view payload() const { return payload_; }

private:
  std::string_view headers_;
  std::string_view payload_;
};

} // namespace signalbox
