#pragma once

#include "adapters/simulator/apns_request.hpp"
#include "adapters/simulator/apns_rules.hpp"
#include "adapters/simulator/exchange.hpp"

#include <cstddef>
#include <cstdint>
#include <map>
#include <random>
#include <string>
#include <string_view>

namespace signalbox::sim {

/// The broadcast channels of an app (Apple, "Sending channel management requests to APNs" and
/// "Sending broadcast push notification requests to APNs").
///
/// Where Apple does not say which reason applies: `TopicDisallowed` for another bundle,
/// `BadPayload` (our own, with a `detail`) for a body of a creation that is no such object,
/// `BadTopic` for a broadcast with an `apns-topic`. Not thread-safe.
class broadcast_channels {
public:
  static constexpr std::size_t limit = 10'000;

  broadcast_channels(std::uint64_t seed, std::string bundle);

  /// Carries out a management request: `POST`, `GET` and `DELETE /1/apps/<bundle>/channels`, and
  /// `GET .../all-channels`. Sets the status, the body and the channel id of `out`, or answers why
  /// the request is refused.
  apns_rejection manage(const apns_request& parsed, const request& in, answer& out);

  /// The headers of a broadcast, all but the provider token.
  apns_rejection check_broadcast(const apns_request& parsed) const;

private:
  enum class storage : std::uint8_t { none = 0, latest = 1 };

  apns_rejection check_id(const apns_request& parsed) const;
  apns_rejection create(const request& in, answer& out);
  void list(answer& out) const;
  std::string make_id();

  const std::string bundle_;
  std::map<std::string, storage, std::less<>> channels_;
  std::mt19937_64 random_;
};

} // namespace signalbox::sim
