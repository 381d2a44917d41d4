#include "adapters/fcm/render.hpp"

#include "adapters/fcm/activity_message.hpp"
#include "adapters/payload/push_content.hpp"
#include "messages/json_pointer.hpp"

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

json::object render_push(const json::object& content, std::string_view job_id) {
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
  if (!is_silent(content))
    android["notification"] =
      render_android_notification(content, collapse_id.empty() ? job_id : collapse_id);
  message["android"] = std::move(android);
  return message;
}

result<json::object> render_message(const json::object& content,
                                    const std::optional<activity_event>& event,
                                    std::string_view job_id,
                                    std::optional<std::chrono::seconds> ttl,
                                    std::string_view marker) {
  auto message = event ? render_fcm_activity(content, *event)
                       : result<json::object>::success(render_push(content, job_id));
  if (!message.ok())
    return message;
  if (ttl)
    message.value["android"].get_object()["ttl"] = std::to_string(ttl->count()) + "s";
  if (const auto* over = object_of(content, "fcm"))
    merge_over(message.value, *over);
  for (const auto name : target_names)
    message.value.erase(name);
  if (event)
    restore_activity_data(*event, message.value);
  if (!marker.empty()) {
    auto& data = message.value["data"];
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

std::optional<payload_refusal> check_data(const json::object& data, const std::string& pointer) {
  for (const auto& [key, value] : data) {
    if (is_reserved_by_fcm(key))
      return payload_refusal{pointer + json_pointer_step(key), "is a name that FCM reserves"};
    if (!value.is_string())
      return payload_refusal{pointer + json_pointer_step(key),
                             "must be a string: FCM takes texts only"};
  }
  return std::nullopt;
}

// What the request gives for FCM: names of data that FCM keeps for itself, targets.
std::optional<payload_refusal> check_names(const json::object& content) {
  if (const auto* data = object_of(content, "data"))
    if (auto refusal = check_data(*data, "/data"))
      return refusal;
  const auto* fcm = object_of(content, "fcm");
  if (fcm == nullptr)
    return std::nullopt;
  for (const auto name : target_names)
    if (fcm->contains(name))
      return payload_refusal{"/fcm" + json_pointer_step(name),
                             "cannot be given: the targets are the job's"};
  const auto* data = object_of(*fcm, "data");
  return data == nullptr ? std::nullopt : check_data(*data, "/fcm/data");
}

std::optional<payload_refusal> check_size(const json::object& content,
                                          const std::optional<activity_event>& event,
                                          std::string_view marker) {
  const auto message = render_message(content, event, job_id{}.to_string(), std::nullopt, marker);
  if (!message.ok())
    return payload_refusal{"", message.message};
  const auto size = size_of(message.value, "notification") + size_of(message.value, "data");
  if (size <= fcm_payload_limit_bytes)
    return std::nullopt;
  return payload_refusal{"", "notification and data of the FCM message are " +
                               std::to_string(size) + " bytes, and the limit is " +
                               std::to_string(fcm_payload_limit_bytes)};
}

} // namespace

std::optional<std::chrono::seconds> remaining_fcm_ttl(const job_context& job, timestamp now) {
  if (job.single_try())
    return std::chrono::seconds{0};
  const auto deadline = job.deadline();
  if (!deadline)
    return job.activity ? std::optional{fcm_activity_ttl} : std::nullopt;
  const auto left = std::chrono::floor<std::chrono::seconds>(*deadline - now);
  return std::clamp(left, std::chrono::seconds{0}, longest_ttl);
}

result<fcm_body> render_fcm(const job_context& job, std::string_view marker, timestamp now) {
  const auto content = parse_content(job.payload);
  if (!content.ok())
    return result<fcm_body>::failure(content.code, content.message);
  const auto id = job.id.to_string();
  const auto message =
    render_message(content.value, job.activity, id, remaining_fcm_ttl(job, now), marker);
  if (!message.ok())
    return result<fcm_body>::failure(message.code, message.message);
  return result<fcm_body>::success(
    {R"({"message":{"token":")", "\"," + json::serialize(message.value).substr(1) + "}"});
}

std::optional<payload_refusal> check_fcm_payload(std::string_view payload,
                                                 std::string_view marker) {
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
    return payload_refusal{"", content.message};
  if (auto refusal = check_names(content.value))
    return refusal;
  return is_small ? std::nullopt : check_size(content.value, std::nullopt, marker);
}

std::optional<payload_refusal> check_fcm_activity(std::string_view payload,
                                                  const activity_request& request,
                                                  std::string_view marker) {
  const auto content = parse_content(payload);
  if (!content.ok())
    return payload_refusal{"", content.message};
  if (auto refusal = check_names(content.value))
    return refusal;
  const auto or_as_long_as = [](const std::string& text) {
    return text.empty() ? std::string(64, 'x') : text;
  };
  activity_event event;
  event.action = request.action;
  event.activity = or_as_long_as(request.activity);
  event.type = or_as_long_as(request.type);
  event.timestamp_s = 1'700'000'000; // as many digits as it has until the year 2286
  event.content_state = request.content_state;
  return check_size(content.value, event, marker);
}

} // namespace signalbox
