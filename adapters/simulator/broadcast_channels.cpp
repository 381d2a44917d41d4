#include "adapters/simulator/broadcast_channels.hpp"

#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>

#include <algorithm>
#include <array>
#include <utility>

namespace signalbox::sim {

namespace json = boost::json;

namespace {

constexpr std::size_t id_bytes = 16;
constexpr std::size_t longest_id = 64;
constexpr std::string_view base64_digits =
  "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

constexpr apns_rejection bad_request(std::string_view reason, std::string_view detail = {}) {
  return {400, reason, detail};
}

// RFC 4648, section 4.
bool is_base64(std::string_view text) {
  if (text.empty() || text.size() % 4 != 0 || text.size() > longest_id)
    return false;
  for (int padding = 0; padding < 2 && text.ends_with('='); ++padding)
    text.remove_suffix(1);
  return text.find_first_not_of(base64_digits) == text.npos;
}

} // namespace

broadcast_channels::broadcast_channels(std::uint64_t seed, std::string bundle)
  : bundle_{std::move(bundle)}, random_{seed} {}

apns_rejection broadcast_channels::manage(const apns_request& parsed, const request& in,
                                          answer& out) {
  if (parsed.bundle != bundle_)
    return bad_request("TopicDisallowed");
  if (parsed.path == apns_request::path_kind::all_channels) {
    if (parsed.method != "GET")
      return {405, "MethodNotAllowed"};
    list(out);
    return {};
  }
  if (parsed.method == "POST")
    return create(in, out);
  if (parsed.method != "GET" && parsed.method != "DELETE")
    return {405, "MethodNotAllowed"};
  if (const auto rejection = check_id(parsed))
    return rejection;
  const auto found = channels_.find(*parsed.channel_id);
  if (parsed.method == "DELETE") {
    channels_.erase(found);
    out.status = 204;
    return {};
  }
  out.content_type = "application/json";
  out.body = R"({"message-storage-policy":)" + std::to_string(static_cast<int>(found->second)) +
             R"(,"push-type":"LiveActivity"})";
  return {};
}

apns_rejection broadcast_channels::check_broadcast(const apns_request& parsed) const {
  if (parsed.method != "POST")
    return {405, "MethodNotAllowed"};
  if (parsed.bundle != bundle_)
    return bad_request("TopicDisallowed");
  if (!parsed.push_type)
    return bad_request("MissingPushType");
  if (*parsed.push_type != "liveactivity")
    return bad_request("InvalidPushType");
  if (parsed.topic)
    return bad_request("BadTopic");
  if (const auto rejection = check_id(parsed))
    return rejection;
  const auto priority = parsed.priority.value_or("10");
  if (priority != "10" && priority != "5" && priority != "1")
    return bad_request("BadPriority");
  // What is not stored cannot wait until it expires.
  const bool is_stored = channels_.find(*parsed.channel_id)->second == storage::latest;
  if (!parsed.expiration || !is_apns_epoch(*parsed.expiration) ||
      (!is_stored && *parsed.expiration != "0"))
    return bad_request("BadExpirationDate");
  return {};
}

apns_rejection broadcast_channels::check_id(const apns_request& parsed) const {
  if (!parsed.channel_id)
    return bad_request("MissingChannelId");
  if (!is_base64(*parsed.channel_id))
    return bad_request("BadChannelId");
  if (channels_.find(*parsed.channel_id) == channels_.end())
    return bad_request("ChannelNotRegistered");
  return {};
}

apns_rejection broadcast_channels::create(const request& in, answer& out) {
  json::error_code error;
  const auto body = json::parse(in.body, error);
  const auto* object = error ? nullptr : body.if_object();
  if (object == nullptr)
    return bad_request("BadPayload", "the body must be a JSON object");
  const auto* type = object->if_contains("push-type");
  if (type == nullptr)
    return bad_request("MissingPushType");
  if (*type != "LiveActivity")
    return bad_request("InvalidPushType");
  const auto* policy = object->if_contains("message-storage-policy");
  if (policy == nullptr || (*policy != 0 && *policy != 1))
    return bad_request("BadPayload", "message-storage-policy must be 0 or 1");
  if (channels_.size() >= limit)
    return bad_request("CannotCreateChannelConfig");
  auto id = make_id();
  out.status = 201;
  out.channel_id = id;
  channels_.emplace(std::move(id), *policy == 1 ? storage::latest : storage::none);
  return {};
}

void broadcast_channels::list(answer& out) const {
  out.content_type = "application/json";
  out.body = R"({"channels":[)";
  for (const auto& [id, policy] : channels_) {
    if (out.body.back() != '[')
      out.body += ',';
    out.body.append("\"").append(id).append("\"");
  }
  out.body += "]}";
}

std::string broadcast_channels::make_id() {
  std::string id;
  for (std::size_t at = 0; at < id_bytes; at += 3) {
    const auto bits = static_cast<unsigned>(random_());
    const auto bytes = std::min<std::size_t>(3, id_bytes - at);
    // Of a last group that is not full, digits 2 and 3 have bits that stay zero.
    const std::array masks{63u, bytes == 1 ? 48u : 63u, bytes == 1 ? 0u : 63u, 63u};
    for (std::size_t digit = 0; digit < 4; ++digit)
      id += digit <= bytes ? base64_digits[(bits >> (6 * digit)) & masks[digit]] : '=';
  }
  return id;
}

} // namespace signalbox::sim
