#include "adapters/apns/activity_render.hpp"

#include "adapters/payload/push_content.hpp"

#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>
#include <openssl/evp.h>

#include <algorithm>
#include <stdexcept>
#include <utility>

namespace signalbox {

namespace json = boost::json;

namespace {

constexpr std::size_t longest_collapse_id = 64;
// As many digits as it has until the year 2286.
constexpr std::int64_t some_timestamp_s = 1'700'000'000;

bool is_broadcast(const activity_event& event) {
  return event.action != activity_action::start && !event.channel.empty();
}

json::object render_aps(const json::object& content, const activity_event& event) {
  json::object aps;
  copy_if_set(content, "stale_date", aps, "stale-date");
  copy_if_set(content, "dismissal_date", aps, "dismissal-date");
  copy_if_set(content, "relevance_score", aps, "relevance-score");
  copy_if_set(content, "alert", aps, "alert");
  if (event.action != activity_action::start)
    return aps;
  copy_if_set(content, "attributes_type", aps, "attributes-type");
  copy_if_set(content, "attributes", aps, "attributes");
  if (const auto channel = text_of(content, "input_push_channel"); !channel.empty())
    aps["input-push-channel"] = channel;
  else if (is_set(content, "input_push_token"))
    aps["input-push-token"] = 1;
  return aps;
}

void append_members(std::string& text, const json::object& members) {
  if (members.empty())
    return;
  const auto object = json::serialize(members);
  text += ',';
  text.append(object, 1, object.size() - 2);
}

// Composed as text, so that the content-state need not be understood to be sent.
std::string compose(const activity_event& event, std::string_view content_state, json::object aps,
                    const json::object& beside_aps) {
  aps.erase("timestamp");
  aps.erase("event");
  std::string text = R"({"aps":{"timestamp":)" + std::to_string(event.timestamp_s) +
                     R"(,"event":")" + std::string{to_string(event.action)} + '"';
  if (!content_state.empty())
    text.append(R"(,"content-state":)").append(content_state);
  append_members(text, aps);
  text += '}';
  append_members(text, beside_aps);
  return text + '}';
}

result<std::string> render_body(const json::object& content, const activity_event& event) {
  auto aps = render_aps(content, event);
  const auto* over = object_of(content, "apns");
  if (over == nullptr)
    return result<std::string>::success(compose(event, event.content_state, std::move(aps), {}));
  std::string_view verbatim = event.content_state;
  const auto* aps_over = object_of(*over, "aps");
  if (aps_over != nullptr && aps_over->contains("content-state") && !verbatim.empty()) {
    auto state = parse_content(verbatim);
    if (!state.ok())
      return result<std::string>::failure(state.code, "content-state: " + state.message);
    aps["content-state"] = std::move(state.value);
    verbatim = {};
  }
  json::object body{{"aps", std::move(aps)}};
  merge_over(body, *over);
  const auto* merged = object_of(body, "aps");
  auto merged_aps = merged != nullptr ? *merged : json::object{};
  body.erase("aps");
  return result<std::string>::success(compose(event, verbatim, std::move(merged_aps), body));
}

// Apple takes 10 and 5 for them, but not 1.
std::string_view render_priority(const json::object& content) {
  const auto asked = text_of(content, "priority");
  return asked.empty() || asked == "high" ? "10" : "5";
}

bool can_be_a_collapse_id(std::string_view text) {
  return text.size() <= longest_collapse_id &&
         std::all_of(text.begin(), text.end(), [](char c) { return c > ' ' && c <= '~'; });
}

std::string sha256_hex(std::string_view text) {
  constexpr char digits[] = "0123456789abcdef";
  unsigned char digest[EVP_MAX_MD_SIZE];
  unsigned int length = 0;
  if (EVP_Digest(text.data(), text.size(), digest, &length, EVP_sha256(), nullptr) != 1)
    throw std::runtime_error("no SHA-256 from OpenSSL");
  std::string hex;
  for (unsigned int i = 0; i < length; ++i) {
    hex += digits[digest[i] >> 4];
    hex += digits[digest[i] & 0x0f];
  }
  return hex;
}

std::string render_collapse_id(const json::object& content, const activity_event& event) {
  if (const auto given = text_of(content, "collapse_id"); !given.empty())
    return std::string{given};
  if (event.action == activity_action::start)
    return {};
  return can_be_a_collapse_id(event.activity) ? event.activity : sha256_hex(event.activity);
}

} // namespace

result<apns_request> render_apns_activity(const job_context& job, std::string_view bundle) {
  const auto& event = *job.activity;
  const auto content = parse_content(job.payload);
  if (!content.ok())
    return result<apns_request>::failure(content.code, content.message);
  auto body = render_body(content.value, event);
  if (!body.ok())
    return result<apns_request>::failure(body.code, body.message);
  apns_request request;
  request.body = std::move(body.value);
  request.push_type = "liveactivity";
  request.priority = render_priority(content.value);
  if (is_broadcast(event)) {
    request.broadcast_path = "/4/broadcasts/apps/" + std::string{bundle};
  } else {
    request.topic = std::string{bundle} + ".push-type.liveactivity";
    request.collapse_id = render_collapse_id(content.value, event);
  }
  return result<apns_request>::success(std::move(request));
}

std::optional<std::string> check_apns_activity(std::string_view payload,
                                               const activity_request& request) {
  const auto content = parse_content(payload);
  if (!content.ok())
    return content.message;
  activity_event event;
  event.action = request.action;
  event.timestamp_s = some_timestamp_s;
  event.content_state = request.content_state;
  event.channel = request.channel;
  const auto body = render_body(content.value, event);
  if (!body.ok())
    return body.message;
  const auto limit = is_broadcast(event) ? apns_broadcast_limit_bytes : apns_payload_limit_bytes;
  const auto size = body.value.size();
  if (size <= limit)
    return std::nullopt;
  return "the APNs payload is " + std::to_string(size) + " bytes, and the limit is " +
         std::to_string(limit);
}

} // namespace signalbox
