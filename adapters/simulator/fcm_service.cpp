#include "adapters/simulator/fcm_service.hpp"

#include "adapters/simulator/text_hash.hpp"
#include "adapters/simulator/tls_material.hpp"
#include "adapters/simulator/wall_time.hpp"

#include <algorithm>
#include <optional>
#include <utility>

namespace signalbox::sim {

namespace {

constexpr std::string_view bearer = "Bearer ";
constexpr std::string_view json_type = "application/json";
constexpr std::string_view answer_type = "application/json; charset=UTF-8";

std::string_view field_of(const request& in, std::string_view name) {
  const auto found = std::find_if(in.fields.begin(), in.fields.end(),
                                  [&](const header_field& field) { return field.name == name; });
  return found == in.fields.end() ? std::string_view{} : found->value;
}

fcm_error unauthenticated(std::string message) {
  return {401, {}, "UNAUTHENTICATED", std::move(message), {}};
}

} // namespace

fcm_service::fcm_service(std::uint64_t seed, std::string marker_key, std::string order_key,
                         const std::filesystem::path& public_key_pem)
  : provider_service{seed, {"404 UNREGISTERED", "403 SENDER_ID_MISMATCH", "400 INVALID_ARGUMENT"}},
    send_path_{"/v1/projects/" + std::string{fcm_project} + "/messages:send"},
    tokens_{public_key_pem}, messages_{std::move(marker_key), std::move(order_key)} {}

void fcm_service::handle(const request& in, answer& out) {
  if (access_tokens::is_token_path(in.path)) {
    stats_.count_token_request();
    return tokens_.handle(in, faults_.settings(), wall_time_s(), out);
  }
  out.content_type = answer_type;
  const auto& message = messages_.read(in.body);
  const auto target = text_hash(message.token);
  const auto id = message.marker ? std::optional{target ^ (*message.marker >> 1)} : std::nullopt;
  stats_.prefetch(target, id.value_or(0));
  const auto rejection = check(in, message, out);
  stats_.count_request();
  out.is_counted = true;
  if (id)
    stats_.count_message_id(*id);
  if (rejection)
    reject(rejection, out);
  else
    apply_faults(message, id, out);
  const bool is_accepted = out.status == 200;
  if (is_accepted && message.order && !message.validate_only)
    stats_.count_order(target ^ (message.activity >> 1), *message.order);
  if (!message.token.empty()) {
    stats_.count_target(target, is_accepted);
    devices_.record(message.token, target, in, is_accepted, message.is_live_activity);
  }
}

void fcm_service::apply_faults(const fcm_message& message, std::optional<std::uint64_t> id,
                               answer& out) {
  const auto* fault = faults_.permanent_fault(message.token);
  if (fault == nullptr)
    fault = faults_.draw_transient();
  if (fault != nullptr && fault->what == fault::kind::answer) {
    if (fault->status == 429 || fault->status == 503)
      out.retry_after_s = faults_.settings().retry_after_s;
    fcm_error scripted{fault->status, fault->reason, {}, {}, {}};
    if (fault->status == 401 && fault->reason == "UNAUTHENTICATED")
      scripted = unauthenticated("Request had invalid authentication credentials.");
    else if (fault->status == 400 && fault->reason == "INVALID_ARGUMENT")
      scripted.field = "message.token";
    return reject(scripted, out);
  }
  stats_.count_accepted(message.validate_only ? std::nullopt : id);
  if (fault != nullptr)
    out.what = fault->what == fault::kind::reset ? answer::fate::reset : answer::fate::silent;
  out.body.append(R"({"name":"projects/)")
    .append(fcm_project)
    .append("/messages/")
    .append(message.validate_only ? "fake_message_id" : std::to_string(++last_message_))
    .append("\"}");
}

fcm_error fcm_service::check(const request& in, const fcm_message& message, answer& out) {
  const bool is_send = in.path.starts_with("/v1/projects/") && in.path.ends_with("/messages:send");
  if (!is_send || in.method != "POST")
    return {404, {}, "NOT_FOUND", "The requested URL was not found on this server.", {}};
  if (auto rejection = check_credentials(in))
    return rejection;
  out.authenticated = true;
  if (in.path != send_path_)
    return {403,
            {},
            "PERMISSION_DENIED",
            "Permission 'cloudmessaging.messages.create' denied on this project.",
            {}};
  if (!field_of(in, "content-type").starts_with(json_type))
    return {400, {}, "INVALID_ARGUMENT", "The content type must be application/json.", {}};
  if (in.body_size > in.body.size())
    return {413, {}, "INVALID_ARGUMENT", "The request is too large.", {}};
  return message.error;
}

fcm_error fcm_service::check_credentials(const request& in) {
  const auto authorization = field_of(in, "authorization");
  if (!authorization.starts_with(bearer))
    return unauthenticated("Request is missing required authentication credential.");
  if (!tokens_.is_valid(authorization.substr(bearer.size()), faults_.settings(), wall_time_s()))
    return unauthenticated("Request had invalid authentication credentials. Expected OAuth 2 "
                           "access token, login cookie or other valid authentication credential.");
  return {};
}

void fcm_service::reject(const fcm_error& why, answer& out) {
  stats_.count_rejected(why.name());
  write_fcm_error(why, out);
}

} // namespace signalbox::sim
