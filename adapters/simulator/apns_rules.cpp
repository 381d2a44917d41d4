#include "adapters/simulator/apns_rules.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace signalbox::sim {

namespace {

struct push_type {
  std::string_view name;
  std::string_view topic_suffix;
};

// The most frequent first.
constexpr std::array<push_type, 11> push_types{{
  {"alert", ""},
  {"background", ""},
  {"liveactivity", ".push-type.liveactivity"},
  {"voip", ".voip"},
  {"complication", ".complication"},
  {"fileprovider", ".pushkit.fileprovider"},
  {"location", ".location-query"},
  {"pushtotalk", ".voip-ptt"},
  {"widgets", ".push-type.widgets"},
  {"controls", ".push-type.controls"},
  {"mdm", ""},
}};
constexpr std::size_t alert_type = 0;
constexpr std::size_t background_type = 1;
constexpr std::size_t live_activity_type = 2;
constexpr std::size_t mdm_type = 10;

constexpr std::size_t payload_limit = 4096;
constexpr std::size_t larger_payload_limit = 5120;
constexpr std::size_t collapse_id_limit = 64;
constexpr std::size_t shortest_token = 8;

constexpr apns_rejection fine{};
constexpr apns_rejection bad_request(std::string_view reason) {
  return {400, reason};
}

// Without apns-push-type a request counts as an alert, as before iOS 13.
std::size_t type_index(const apns_request& in) {
  if (!in.push_type)
    return alert_type;
  return static_cast<std::size_t>(
    std::find_if(push_types.begin(), push_types.end(),
                 [&](const push_type& type) { return type.name == *in.push_type; }) -
    push_types.begin());
}

bool is_hex(std::string_view text) {
  unsigned ok = 1;
  for (const char c : text) {
    const auto lower = static_cast<unsigned char>(c | 0x20);
    ok &= static_cast<unsigned>(static_cast<unsigned char>(c - '0') <= 9) |
          static_cast<unsigned>(static_cast<unsigned char>(lower - 'a') <= 5);
  }
  return ok != 0;
}

bool is_bundle_id(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](unsigned char c) {
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '.' ||
           c == '-';
  });
}

} // namespace

std::size_t apns_payload_limit(const apns_request& in) noexcept {
  return in.push_type == "voip" || in.path == apns_request::path_kind::broadcast
           ? larger_payload_limit
           : payload_limit;
}

apns_rules::apns_rules(std::string bundle) : bundle_{std::move(bundle)} {
  static_assert(std::tuple_size_v<decltype(topics_)> == push_types.size());
  for (std::size_t i = 0; i < push_types.size(); ++i)
    topics_[i] = bundle_ + std::string{push_types[i].topic_suffix};
}

apns_rejection apns_rules::check_head(const apns_request& in) const {
  const bool is_for_device =
    in.path == apns_request::path_kind::device || in.path == apns_request::path_kind::no_device;
  if ((is_for_device || in.path == apns_request::path_kind::other) && in.method != "POST")
    return {405, "MethodNotAllowed"};
  if (in.path == apns_request::path_kind::other)
    return {404, "BadPath"};
  if (in.path == apns_request::path_kind::no_device)
    return bad_request("MissingDeviceToken");
  if (in.has_duplicate)
    return bad_request("DuplicateHeaders");
  if (in.id && !is_apns_id(*in.id))
    return bad_request("BadMessageId");
  return fine;
}

apns_rejection apns_rules::check_message(const apns_request& in) const {
  const auto type = type_index(in);
  if (type == push_types.size())
    return bad_request("InvalidPushType");
  if (!in.topic)
    return bad_request("MissingTopic");
  if (const auto rejection = check_topic(type, *in.topic))
    return rejection;
  // Without the header the priority is 10.
  const auto priority = in.priority.value_or("10");
  if ((priority != "10" && priority != "5" && priority != "1") ||
      (type == background_type && priority == "10") ||
      (type == live_activity_type && priority == "1"))
    return bad_request("BadPriority");
  if (in.expiration && !is_apns_epoch(*in.expiration))
    return bad_request("BadExpirationDate");
  if (in.collapse_id && in.collapse_id->size() > collapse_id_limit)
    return bad_request("BadCollapseId");
  if (in.token.size() < shortest_token || in.token.size() % 2 != 0 || !is_hex(in.token))
    return bad_request("BadDeviceToken");
  return fine;
}

apns_rejection apns_rules::check_topic(std::size_t type, std::string_view topic) const {
  if (topic == topics_[type] && type != mdm_type)
    return fine;
  if (!is_bundle_id(topic))
    return bad_request("BadTopic");
  const bool own =
    topic.starts_with(bundle_) && (topic.size() == bundle_.size() || topic[bundle_.size()] == '.');
  if (!own)
    return bad_request("DeviceTokenNotForTopic");
  const bool known = std::find(topics_.begin(), topics_.end(), topic) != topics_.end();
  return bad_request(known && type != mdm_type ? "BadTopic" : "TopicDisallowed");
}

} // namespace signalbox::sim
