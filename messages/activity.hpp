#pragma once

#include "messages/destination.hpp"
#include "messages/ids.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace signalbox {

// Live Activities (SPEC 6). The numbers of the enumerations are stored: never change one.

enum class activity_action : std::uint8_t { start = 1, update = 2, end = 3 };

enum class activity_status : std::uint8_t {
  active = 1,
  closed = 2,  ///< its end dispatch completed, or another start of its type and scope replaced it
  failed = 3,  ///< its start had no targets
  expired = 4, ///< its time was over before its end
};

/// What a device's token is for: `push` for the push lane, the others for Live Activities.
enum class token_kind : std::uint8_t {
  push = 0,
  start = 1,   ///< APNs push-to-start
  update = 2,  ///< of one running activity on one device; FCM tokens are always of this kind
  channel = 3, ///< a broadcast channel, which stands for all that subscribe to it
};

/// What became of a request about an activity.
enum class activity_reply : std::uint8_t {
  started,
  already_started, ///< the id exists, also if it is closed: nothing was made
  updated,
  ended,
  closed, ///< an end of what is closed, or has an accepted end: nothing was made
};

/// As the HTTP API spells them: "start"; "ACTIVE"; "started".
std::string_view to_string(activity_action value);
std::string_view to_string(activity_status value);
std::string_view to_string(token_kind value);
std::string_view to_string(activity_reply value);

/// What a request says about its activity, beside the job that carries it.
struct activity_request {
  activity_action action = activity_action::start;
  std::string activity; ///< the id; empty for an update or end that names type and scope instead
  std::string type;     ///< start: required; else only without an id
  std::string content_state;           ///< a JSON object; empty: none (an end takes the last one)
  std::optional<timestamp> expires_at; ///< start: the end of its life; none: as long as can be
  std::string channel; ///< start: broadcast channel for its updates to APNs; empty: tokens
  environment channel_env = environment::production;
  /// `aps.timestamp`; none: when it is accepted. The activity's last one, if that is later.
  std::optional<std::int64_t> timestamp_s = std::nullopt;
  /// Of an update or end: bytes of the body for APNs with this content-state. Who knows the
  /// activity knows whether that is too much (payload_limits.hpp).
  std::size_t apns_bytes = 0;
};

/// What a sender needs to know of a dispatch of an activity.
struct activity_event {
  activity_action action = activity_action::start;
  std::string activity;         ///< the id
  std::string type;             ///< "activityType"
  std::int64_t seq = 0;         ///< of the dispatch within its activity, from 1
  std::int64_t timestamp_s = 0; ///< `aps.timestamp`: its own, or when it was accepted; never less
  std::string content_state;    ///< a JSON object; empty: none
  std::string channel;          ///< not empty: APNs targets are this channel, by broadcast
};

} // namespace signalbox
