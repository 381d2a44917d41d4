#include "adapters/fcm/render.hpp"

#include "adapters/payload/push_content.hpp"

#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>

#include <algorithm>
#include <array>
#include <utility>

namespace signalbox {

namespace json = boost::json;

namespace {

constexpr std::chrono::seconds longest_ttl{28 * 24 * 60 * 60};
constexpr std::array<std::string_view, 4> target_names{"token", "topic", "condition", "name"};

// Firebase, "Customize a message across platforms": reserved words as keys of data.
bool is_reserved(std::string_view key) {
  return key == "from" || key == "message_type" || key.starts_with("google") ||
         key.starts_with("gcm");
}

json::object render_notification(const json::object& content) {
  json::object notification;
  copy_if_set(content, "title", notification, "title");
  copy_if_set(content, "body", notification, "body");
  copy_if_set(content, "image_url", notification, "image");
  return notification;
}

json::object render_android_notification(const json::object& content, std::string_view tag) {
  json::object notification;
  copy_if_set(content, "sound", notification, "sound");
  copy_if_set(content, "category", notification, "click_action");
  if (!tag.empty())
    notification["tag"] = tag;
  return notification;
}

std::string_view render_priority(const json::object& content) {
  const auto asked = text_of(content, "priority");
  const auto by_default = is_silent(content) ? "normal" : "high";
  return asked.empty() ? by_default : asked == "high" ? "high" : "normal";
}

json::object render_message(const json::object& content, std::string_view job_id,
                            std::optional<std::chrono::seconds> ttl, std::string_view marker) {
  const auto collapse_id = text_of(content, "collapse_id");
  json::object message;
  json::object android;
  if (!is_silent(content))
    message["notification"] = render_notification(content);
  if (const auto* data = object_of(content, "data"))
    message["data"] = *data;
  if (!collapse_id.empty())
    android["collapse_key"] = collapse_id;
  android["priority"] = render_priority(content);
  if (ttl)
    android["ttl"] = std::to_string(ttl->count()) + "s";
  if (!is_silent(content))
    android["notification"] =
      render_android_notification(content, collapse_id.empty() ? job_id : collapse_id);
  message["android"] = std::move(android);
  if (const auto* over = object_of(content, "fcm"))
    merge_over(message, *over);
  for (const auto name : target_names)
    message.erase(name);
  if (!marker.empty()) {
    auto& data = message["data"];
    if (!data.is_object())
      data = json::object{};
    data.get_object()[marker] = job_id;
  }
  return message;
}

std::size_t size_of(const json::object& message, std::string_view name) {
  const auto* part = message.if_contains(name);
  return part == nullptr ? 0 : json::serialize(*part).size();
}

std::optional<std::string> check_data(const json::object& data, const std::string& name) {
  for (const auto& [key, value] : data) {
    if (is_reserved(key))
      return name + "." + std::string{key} + ": FCM reserves this name";
    if (!value.is_string())
      return name + "." + std::string{key} + ": FCM takes texts only";
  }
  return std::nullopt;
}

} // namespace

std::optional<std::chrono::seconds> remaining_fcm_ttl(const job_context& job, timestamp now) {
  if (job.single_try())
    return std::chrono::seconds{0};
  const auto deadline = job.deadline();
  if (!deadline)
    return std::nullopt;
  const auto left = std::chrono::floor<std::chrono::seconds>(*deadline - now);
  return std::clamp(left, std::chrono::seconds{0}, longest_ttl);
}

result<fcm_body> render_fcm(const job_context& job, std::string_view marker, timestamp now) {
  const auto content = parse_content(job.payload);
  if (!content.ok())
    return result<fcm_body>::failure(content.code, content.message);
  const auto id = job.id.to_string();
  const auto message =
    json::serialize(render_message(content.value, id, remaining_fcm_ttl(job, now), marker));
  return result<fcm_body>::success({R"({"message":{"token":")", "\"," + message.substr(1) + "}"});
}

std::optional<std::string> check_fcm_payload(std::string_view payload, std::string_view marker) {
  constexpr std::size_t marker_bytes = 64;
  // Rendering writes no value in more than twice its length.
  const bool is_small =
    payload.size() * 2 + marker.size() + marker_bytes <= fcm_payload_limit_bytes;
  // Looked at by text alone, since this happens to every job.
  constexpr std::array<std::string_view, 5> suspicious{
    R"("fcm":)", R"("from":)", R"("message_type":)", R"("google)", R"("gcm)"};
  const bool is_plain = std::none_of(suspicious.begin(), suspicious.end(),
                                     [&](auto text) { return payload.find(text) != payload.npos; });
  if (is_small && is_plain)
    return std::nullopt;
  const auto content = parse_content(payload);
  if (!content.ok())
    return content.message;
  if (const auto* data = object_of(content.value, "data"))
    if (auto detail = check_data(*data, "data"))
      return detail;
  if (const auto* fcm = object_of(content.value, "fcm")) {
    for (const auto name : target_names)
      if (fcm->contains(name))
        return "fcm." + std::string{name} + ": the targets are the job's";
    if (const auto* data = object_of(*fcm, "data"))
      if (auto detail = check_data(*data, "fcm.data"))
        return detail;
  }
  if (is_small)
    return std::nullopt;
  const auto message = render_message(content.value, job_id{}.to_string(), std::nullopt, marker);
  const auto size = size_of(message, "notification") + size_of(message, "data");
  if (size <= fcm_payload_limit_bytes)
    return std::nullopt;
  return "notification and data of the FCM message are " + std::to_string(size) +
         " bytes, and the limit is " + std::to_string(fcm_payload_limit_bytes);
}

} // namespace signalbox
