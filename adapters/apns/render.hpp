#pragma once

#include "messages/job.hpp"
#include "messages/payload_limits.hpp"
#include "messages/payload_refusal.hpp"
#include "messages/result.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace signalbox {

/// What all requests of a job have in common: everything but the device token and the apns-id.
struct apns_request {
  std::string body;
  std::string topic; ///< empty: no header
  std::string push_type;
  std::string priority;
  std::string expiration;  ///< epoch seconds, "0" for one try; empty: no header
  std::string collapse_id; ///< empty: no header
  /// Not empty: a broadcast to this path, in which the target's token is the id of a channel.
  std::string broadcast_path;
};

/// Renders a job for an app with this bundle: a Live Activity's as activity_render.hpp says, else a
/// push (SPEC 5).
///
/// Silent: `content-available`, push type background, priority 5, no alert, sound or badge. Else an
/// alert with priority 10 (normal 5, low 1), `mutable-content` when there is an `image_url`, which
/// travels at top level, and the job id as collapse id when none is given. What is in `data` is at
/// top level and never overwrites `aps`; `apns.payload` is merged over all of it (RFC 7396), and
/// what `apns.headers` sets is sent. The topic follows the push type; widgets and controls get
/// `content-changed`. A collapse id that cannot stand in the header is hashed (collapse_id.hpp).
/// What the caller wrote is sent as it was written. A broadcast without a deadline is not stored:
/// its expiration is 0. Fails with errc::invalid when the payload is not what messages/job.hpp
/// promises. Pure.
result<apns_request> render_apns(const job_context& job, std::string_view bundle);

/// Says why a payload (as in `new_job::payload`) cannot go to APNs: too large once rendered, or a
/// topic that is not its push type's. Nothing when it can. For use at ingest. Pure.
std::optional<payload_refusal> check_apns_payload(std::string_view payload,
                                                  std::string_view bundle);

} // namespace signalbox
