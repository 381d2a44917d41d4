#pragma once

#include "messages/job.hpp"
#include "runtime/node_settings.hpp"

#include <string>

namespace signalbox {

/// What the configured providers would get of a job, as JSON: `{"apns": {"headers", "payload"},
/// "fcm": {"message"}}`, without what differs from target to target (token and apns-id). Rendered
/// as the senders do, for when the job would begin. A provider that cannot be given the payload, or
/// is not configured, has no member. Pure.
std::string render_preview(const job_context& job, const node_settings& settings);

} // namespace signalbox
