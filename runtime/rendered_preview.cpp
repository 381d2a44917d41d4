#include "runtime/rendered_preview.hpp"

#include "adapters/apns/render.hpp"
#include "adapters/fcm/render.hpp"
#include "adapters/payload/json_draft.hpp"

namespace signalbox {

namespace {

void add_apns(const job_context& job, const std::string& bundle, json_draft& out) {
  const auto made = render_apns(job, bundle);
  if (!made.ok())
    return;
  const auto& request = made.value;
  auto& apns = out.object("apns");
  auto& headers = apns.object("headers");
  headers.set_text("apns-push-type", request.push_type).set_text("apns-priority", request.priority);
  if (!request.topic.empty())
    headers.set_text("apns-topic", request.topic);
  if (!request.expiration.empty())
    headers.set_text("apns-expiration", request.expiration);
  if (!request.collapse_id.empty())
    headers.set_text("apns-collapse-id", request.collapse_id);
  apns.set("payload", request.body);
}

void add_fcm(const job_context& job, const std::string& marker, json_draft& out) {
  const auto made = render_fcm(job, marker, job.not_before.value_or(job.created_at));
  if (!made.ok())
    return;
  // Members follow the token's, up to the end of the message and of the body.
  const auto& rest = made.value.after_token;
  out.object("fcm").set("message", '{' + rest.substr(2, rest.size() - 3));
}

} // namespace

std::string render_preview(const job_context& job, const node_settings& settings) {
  json_draft out;
  if (!settings.apns.key_file.empty())
    add_apns(job, settings.apns.bundle, out);
  if (!settings.fcm.service_account_file.empty())
    add_fcm(job, settings.fcm.job_marker, out);
  return out.text();
}

} // namespace signalbox
