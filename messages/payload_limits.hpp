#pragma once

#include <cstddef>

namespace signalbox {

/// APNs' limit for the body of everything but voip and broadcasts (Apple, "Creating a remote
/// notification server").
inline constexpr std::size_t apns_payload_limit_bytes = 4096;

/// APNs' limit for the body of a broadcast (Apple, "Sending broadcast push notification requests").
inline constexpr std::size_t apns_broadcast_limit_bytes = 5120;

} // namespace signalbox
