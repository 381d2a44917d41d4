#pragma once

#include "messages/answer.hpp"
#include "messages/outcome.hpp"

#include <chrono>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace signalbox {

/// What becomes of the target whose request was answered.
enum class apns_action : std::uint8_t {
  reject,  ///< permanent: the same request would be refused again
  retry,   ///< send again, after a backoff unless it certainly never reached APNs
  unknown, ///< it left and was not answered: the job's on_unknown policy decides
};

/// What to do about one answer, beside the target's own fate.
struct apns_reaction {
  apns_action action = apns_action::reject;
  invalidation invalidate = invalidation::none;
  /// It holds for a topic that is the configuration's. One that the caller set is that job's own
  /// fault: the target is rejected, and nothing else follows.
  bool about_topic = false;
  bool refresh_token = false; ///< a new provider token, once; the APNs transport does it itself
  bool reconnect = false;     ///< a new connection; the APNs transport does it itself
  bool configuration = false; ///< evidence that every other request would end the same
  bool outage = false;        ///< counts towards the outage breaker

  bool operator==(const apns_reaction&) const = default;
};

/// One row of the table in "Handling notification responses from APNs" (Apple).
struct apns_reason_row {
  std::uint16_t status;
  std::string_view reason;
  apns_reaction reaction;
};

/// The reason-to-reaction table.
///
/// Sources: reasons and statuses are Apple's ("Handling notification responses from APNs"). Only
/// reasons that name the device token invalidate it (BadDeviceToken, DeviceTokenNotForTopic, and
/// with 410 Unregistered and ExpiredToken), so that a bad key never wipes the token base.
std::span<const apns_reason_row> apns_reason_table();

/// A reaction with what this one answer adds to it.
struct apns_verdict : apns_reaction {
  std::optional<std::chrono::seconds> retry_after; ///< the provider's Retry-After
  /// The provider's reason; "http_<status>" when it gave none; our own text for what was not
  /// answered.
  std::string reason;
};

/// Classifies any answer that is not a success. A reason that the table does not hold is classified
/// by its status and its text is kept: 408, 429, 5xx and what is no client error at all are tried
/// again, other 4xx are permanent, and none of them invalidates a token or speaks for others.
/// Unsent requests are retried and unanswered ones are unknown; both count towards an outage,
/// except what the provider turned away in order (`apns_orderly_refusal`). Pure.
apns_verdict classify_apns(const answer& from);

/// Texts that the transport itself gives as `answer::reason`.
inline constexpr std::string_view apns_no_credentials = "no_credentials"; ///< configuration
inline constexpr std::string_view apns_orderly_refusal = "refused";       ///< too many tries
/// A refusal of a provider token that has been replaced since: it says nothing of the one in use.
inline constexpr std::string_view apns_token_replaced = "token_replaced";
inline constexpr std::string_view apns_stopping = "stopping"; ///< not sent at a stop

} // namespace signalbox
