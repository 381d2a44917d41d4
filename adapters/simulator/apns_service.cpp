#include "adapters/simulator/apns_service.hpp"

#include "adapters/simulator/text_hash.hpp"
#include "adapters/simulator/tls_material.hpp"
#include "adapters/simulator/wall_time.hpp"

#include <optional>
#include <utility>

namespace signalbox::sim {

namespace {

constexpr std::string_view bearer = "bearer ";

bool is_broadcast(const apns_request& parsed) {
  return parsed.path == apns_request::path_kind::broadcast;
}

bool is_live_activity(const apns_request& parsed) {
  return parsed.push_type == "liveactivity";
}

apns_content content_of(const apns_request& parsed) {
  if (is_broadcast(parsed))
    return apns_content::broadcast;
  return is_live_activity(parsed) ? apns_content::live_activity : apns_content::push;
}

void be_silent(const fault& how, answer& out) {
  out.what = how.what == fault::kind::reset ? answer::fate::reset : answer::fate::silent;
}

bool starts_with_bearer(std::string_view text) {
  if (text.size() < bearer.size())
    return false;
  for (std::size_t i = 0; i + 1 < bearer.size(); ++i)
    if ((text[i] | 0x20) != bearer[i])
      return false;
  return text[bearer.size() - 1] == ' ';
}

} // namespace

apns_service::apns_service(std::uint64_t seed, std::string bundle, std::string order_key,
                           const std::filesystem::path& public_key_pem)
  : provider_service{seed,
                     {"410 Unregistered", "410 ExpiredToken", "400 BadDeviceToken",
                      "400 DeviceTokenNotForTopic"}},
    rules_{bundle}, channels_{seed, std::move(bundle)}, tokens_{public_key_pem,
                                                                std::string{apns_key_id},
                                                                std::string{apns_team_id}},
    payloads_{std::move(order_key)}, random_{seed} {}

void apns_service::handle(const request& in, answer& out) {
  const auto parsed = parse_apns_request(in);
  const auto target_hash = text_hash(parsed.token);
  const auto id_hash = parsed.id ? text_hash(*parsed.id) : 0;
  stats_.prefetch(target_hash, id_hash);
  name_answer(parsed, out);
  if (is_for_channels(parsed.path))
    return manage_channels(in, parsed, out);

  const auto rejection = check(in, parsed, out);

  stats_.count_request();
  out.is_counted = true;
  if (parsed.id && is_apns_id(*parsed.id))
    stats_.count_message_id(id_hash);
  if (rejection)
    reject(rejection, out);
  else
    apply_faults(parsed, id_hash, out);
  const bool is_accepted = out.status == 200;
  if (is_accepted && is_live_activity(parsed))
    judge_order(in, parsed, target_hash);
  if (!parsed.token.empty()) {
    stats_.count_target(target_hash, is_accepted);
    devices_.record(parsed.token, target_hash, in, is_accepted, is_live_activity(parsed));
  }
}

void apns_service::manage_channels(const request& in, const apns_request& parsed, answer& out) {
  stats_.count_channel_request();
  auto rejection = rules_.check_head(parsed);
  if (!rejection)
    rejection = check_provider_token(parsed);
  if (!rejection) {
    out.authenticated = true;
    const auto* fault = faults_.draw_transient();
    if (fault == nullptr)
      rejection = channels_.manage(parsed, in, out);
    else if (fault->what == fault::kind::answer)
      rejection = scripted(*fault, out);
    else
      be_silent(*fault, out);
  }
  if (rejection)
    write_rejection(rejection, out);
}

// Only a push-to-start token is for many activities, and what starts one has no collapse id.
void apns_service::judge_order(const request& in, const apns_request& parsed,
                               std::uint64_t target_hash) {
  const auto& payload = payloads_.read(in.body, content_of(parsed));
  const bool is_named = parsed.collapse_id && !is_broadcast(parsed);
  const auto activity = is_named ? text_hash(*parsed.collapse_id) : payload.attributes;
  const auto key = target_hash ^ (activity >> 1);
  if (payload.order)
    stats_.count_order(key, *payload.order);
  stats_.count_timestamp(key, payload.timestamp_s);
}

// The answer's id is the request's, else a new one.
void apns_service::name_answer(const apns_request& parsed, answer& out) {
  if (parsed.id && is_apns_id(*parsed.id)) {
    parsed.id->copy(out.apns_id_text.data(), out.apns_id_text.size());
  } else {
    constexpr char digits[] = "0123456789abcdef";
    std::uint64_t bits[] = {random_(), random_()};
    for (std::size_t i = 0, digit = 0; i < out.apns_id_text.size(); ++i) {
      if (i == 8 || i == 13 || i == 18 || i == 23) {
        out.apns_id_text[i] = '-';
        continue;
      }
      out.apns_id_text[i] = digits[bits[digit / 16] >> digit % 16 * 4 & 15];
      ++digit;
    }
    // RFC 9562: version 4, variant 10.
    out.apns_id_text[14] = '4';
    out.apns_id_text[19] = digits[8 | (bits[1] & 3)];
  }
  out.is_request_id = is_broadcast(parsed) || is_for_channels(parsed.path);
  out.apns_id = {out.apns_id_text.data(), out.apns_id_text.size()};
  if (faults_.settings().unique_id) // another one than the apns-id, which tells from where it is
    out.unique_id.assign(out.apns_id.rbegin(), out.apns_id.rend());
}

apns_rejection apns_service::check(const request& in, const apns_request& parsed, answer& out) {
  if (const auto rejection = rules_.check_head(parsed))
    return rejection;
  if (const auto rejection = check_provider_token(parsed))
    return rejection;
  out.authenticated = true;
  if (const auto rejection =
        is_broadcast(parsed) ? channels_.check_broadcast(parsed) : rules_.check_message(parsed))
    return rejection;
  if (in.body_size == 0)
    return {400, "PayloadEmpty"};
  if (in.body_size > apns_payload_limit(parsed))
    return {413, "PayloadTooLarge"};
  if (const auto problem = payloads_.read(in.body, content_of(parsed)).problem; !problem.empty())
    return {400, "BadPayload", problem};
  return {};
}

apns_rejection apns_service::check_provider_token(const apns_request& parsed) {
  if (!parsed.authorization || !starts_with_bearer(*parsed.authorization))
    return {403, "MissingProviderToken"};
  switch (tokens_.verify(parsed.authorization->substr(bearer.size()), wall_time_s())) {
  case token_verdict::valid:
    return {};
  case token_verdict::expired:
    return {403, "ExpiredProviderToken"};
  case token_verdict::invalid:
    break;
  }
  return {403, "InvalidProviderToken"};
}

void apns_service::apply_faults(const apns_request& parsed, std::uint64_t id_hash, answer& out) {
  const auto* fault = is_broadcast(parsed) ? nullptr : faults_.permanent_fault(parsed.token);
  if (fault == nullptr)
    fault = faults_.draw_transient();
  if (fault != nullptr && fault->what == fault::kind::answer)
    return reject(scripted(*fault, out), out);
  stats_.count_accepted(parsed.id ? std::optional{id_hash} : std::nullopt);
  if (fault != nullptr)
    be_silent(*fault, out);
}

apns_rejection apns_service::scripted(const fault& how, answer& out) const {
  if (how.status == 429 || how.status == 503)
    out.retry_after_s = faults_.settings().retry_after_s;
  return {how.status, how.reason};
}

void apns_service::reject(const apns_rejection& why, answer& out) {
  stats_.count_rejected(why.reason);
  write_rejection(why, out);
}

void apns_service::write_rejection(const apns_rejection& why, answer& out) const {
  out.status = why.status;
  out.content_type = "application/json";
  out.body.append(R"({"reason":")").append(why.reason).append("\"");
  if (!why.detail.empty())
    out.body.append(R"(,"detail":")").append(why.detail).append("\"");
  if (why.status == 410)
    out.body.append(R"(,"timestamp":)")
      .append(
        std::to_string(faults_.settings().unregistered_timestamp_ms.value_or(wall_time_ms())));
  out.body.append("}");
}

} // namespace signalbox::sim
