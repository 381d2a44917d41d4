#pragma once

#include "adapters/apns/render.hpp"
#include "messages/activity.hpp"
#include "messages/job.hpp"
#include "messages/payload_limits.hpp"
#include "messages/payload_refusal.hpp"
#include "messages/result.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace signalbox {

/// Renders a dispatch of a Live Activity, `job.activity` (SPEC 6.8; Apple, "Starting and updating
/// Live Activities with ActivityKit push notifications"), without an expiration unless the request
/// sets one.
///
/// Topic `<bundle>.push-type.liveactivity`, priority 10 (normal and low 5). What the caller wrote
/// is sent as it was written. Of a start, `input_push_channel` names the channel of its updates, or
/// else `input_push_token` asks for a token; both need iOS 18. Updates and ends of an activity with
/// a channel are broadcasts, which have neither topic nor collapse id. The collapse id of the
/// others is the given one, else, except on a start, the activity's id; an id that cannot stand in
/// the header is hashed (collapse_id.hpp). `apns.payload` is merged over the body (RFC 7396);
/// `timestamp` and `event` stay as they are; what `apns.headers` sets is sent. Fails with
/// errc::invalid when payload or content-state are not what messages/job.hpp promises. Pure.
result<apns_request> render_apns_activity(const job_context& job, std::string_view bundle);

/// Says why a dispatch cannot go to APNs: too large once rendered, or another topic. Nothing when
/// it can. `payload` is new_job::payload. An update or end may be a broadcast, whose limit is
/// higher: who knows its activity compares `request.apns_bytes`, which is set here. For use at
/// ingest.
std::optional<payload_refusal>
check_apns_activity(std::string_view payload, activity_request& request, std::string_view bundle);

} // namespace signalbox
