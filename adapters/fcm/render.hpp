#pragma once

#include "messages/job.hpp"
#include "messages/payload_refusal.hpp"
#include "messages/result.hpp"

#include <chrono>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace signalbox {

/// FCM's limit for `notification` and `data` together (Firebase, "About FCM messages"), which we
/// measure as they stand in the request, and hold the other members of a message to, each by
/// itself.
inline constexpr std::size_t fcm_payload_limit_bytes = 4096;

/// What all requests of a job have in common: the body around the registration token.
struct fcm_body {
  std::string before_token;
  std::string after_token;
};

/// Renders a job (Firebase, "REST Resource: projects.messages"): the message of a Live Activity as
/// activity_message.hpp says, else a push (SPEC 5).
///
/// A notification with title, body and image, and for Android sound, category (as click_action) and
/// a tag: the collapse id, or else the job id, so that a duplicate replaces instead of ringing
/// twice. Without title and body, as a silent push is: `data` alone. The collapse id is the
/// collapse_key as well. Priority is high (normal and low: normal), of a silent or badge-only push
/// normal unless it says high. ttl is what is left of it in whole seconds at `now`. What the caller
/// wrote is sent as it was written. The `fcm` object is merged over the message (RFC 7396); it
/// cannot name a target. `marker` is the name of a member of `data` that gets the job id; empty:
/// none. Fails with errc::invalid when the payload is not what messages/job.hpp promises. Pure.
result<fcm_body> render_fcm(const job_context& job, std::string_view marker, timestamp now);

/// What is left of the job's ttl, at most FCM's 28 days; 0 for one try. Nothing: it has none. Of a
/// Live Activity's, `fcm_activity_ttl` when it has no deadline. Pure.
std::optional<std::chrono::seconds> remaining_fcm_ttl(const job_context& job, timestamp now);

/// Says why a payload (as in `new_job::payload`) cannot go to FCM: too large once rendered, a key
/// of `data` that FCM reserves, or an `fcm` object that names a target, has what no message has, or
/// no text in `data`. Nothing when it can. For use at ingest. Pure.
std::optional<payload_refusal> check_fcm_payload(std::string_view payload, std::string_view marker);

/// The same for a dispatch of a Live Activity; `payload` is new_job::payload. The activity's id and
/// type, where `request` does not say them, count with 64 bytes each.
std::optional<payload_refusal> check_fcm_activity(std::string_view payload,
                                                  const activity_request& request,
                                                  std::string_view marker);

} // namespace signalbox
