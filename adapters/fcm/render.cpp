#include "adapters/fcm/render.hpp"

#include "adapters/fcm/activity_message.hpp"
#include "adapters/payload/json_text.hpp"
#include "adapters/payload/push_content.hpp"
#include "messages/json_pointer.hpp"

#include <algorithm>
#include <array>
#include <span>
#include <utility>

namespace signalbox {

namespace {

constexpr std::chrono::seconds longest_ttl{28 * 24 * 60 * 60};
constexpr std::array<std::string_view, 4> target_names{"token", "topic", "condition", "name"};
// The members of a message beside its target, as FCM takes them.
constexpr std::array<std::string_view, 7> member_names{
  "notification", "data", "android", "apns", "webpush", "fcm_options", "fcmOptions"};

bool has_notification(const push_content& content) {
  return !content.is_silent() &&
         !(content.json_of("title").empty() && content.json_of("body").empty());
}

std::string_view render_priority(const push_content& content) {
  const auto asked = content.text_of("priority");
  const bool only_badge = !has_notification(content) && !content.json_of("badge").empty();
  const auto by_default = content.is_silent() || only_badge ? "normal" : "high";
  return asked.empty() ? by_default : asked == "high" ? "high" : "normal";
}

void render_push(const push_content& content, std::string_view job_id, json_draft& message) {
  if (has_notification(content)) {
    auto& notification = message.object("notification");
    content.copy("title", notification, "title");
    content.copy("body", notification, "body");
    content.copy("image_url", notification, "image");
  }
  content.copy("data", message, "data");
  auto& android = message.object("android");
  content.copy("collapse_id", android, "collapse_key");
  android.set_text("priority", render_priority(content));
  if (!has_notification(content))
    return;
  auto& notification = android.object("notification");
  content.copy("sound", notification, "sound");
  content.copy("category", notification, "click_action");
  if (!content.json_of("collapse_id").empty())
    content.copy("collapse_id", notification, "tag");
  else
    notification.set_text("tag", job_id);
}

result<json_draft> render_message(const push_content& content,
                                  const std::optional<activity_event>& event,
                                  std::string_view job_id, std::optional<std::chrono::seconds> ttl,
                                  std::string_view marker) {
  json_draft message;
  if (!event)
    render_push(content, job_id, message);
  else if (const auto made = render_fcm_activity(content, *event, message); !made.ok())
    return result<json_draft>::failure(made.code, made.message);
  if (ttl)
    message.object("android").set_text("ttl", std::to_string(ttl->count()) + "s");
  message.merge(content.object_of("fcm"));
  for (const auto name : target_names)
    message.erase(name);
  if (event)
    restore_activity_data(*event, message);
  if (!marker.empty())
    message.object("data").set_text(marker, job_id);
  return result<json_draft>::success(std::move(message));
}

std::optional<payload_refusal> check_data(std::string_view data, const std::string& pointer) {
  json_members members{data};
  for (json_member one; members.next(one);) {
    const auto key = read_json_string(one.name).value_or("");
    if (is_reserved_by_fcm(key))
      return payload_refusal{pointer + json_pointer_step(key), "is a name that FCM reserves"};
    if (!one.value.starts_with('"'))
      return payload_refusal{pointer + json_pointer_step(key),
                             "must be a string: FCM takes texts only"};
  }
  return std::nullopt;
}

bool is_one_of(std::span<const std::string_view> names, std::string_view name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

// What the request gives for FCM: names of data that FCM keeps for itself, targets, and what no
// message has.
std::optional<payload_refusal> check_names(const push_content& content) {
  if (auto refusal = check_data(content.object_of("data"), "/data"))
    return refusal;
  json_members members{content.object_of("fcm")};
  for (json_member one; members.next(one);) {
    const auto name = read_json_string(one.name).value_or("");
    if (is_one_of(target_names, name))
      return payload_refusal{"/fcm" + json_pointer_step(name),
                             "cannot be given: the targets are the job's"};
    if (!is_one_of(member_names, name))
      return payload_refusal{"/fcm" + json_pointer_step(name), "is no member of an FCM message"};
    if (name == "data")
      if (auto refusal = check_data(one.value, "/fcm/data"))
        return refusal;
  }
  return std::nullopt;
}

payload_refusal too_large(std::string pointer, std::string_view what, std::size_t size) {
  return {std::move(pointer), std::string{what} + " of the FCM message are " +
                                std::to_string(size) + " bytes, and the limit is " +
                                std::to_string(fcm_payload_limit_bytes)};
}

std::string largest_of(const push_content& content, const std::optional<activity_event>& event) {
  const auto largest = content.largest({"title", "body", "image_url", "data", "fcm"});
  const bool is_state = event && event->content_state.size() >= content.json_of(largest).size();
  return is_state ? std::string{content_state_pointer} : "/" + std::string{largest};
}

std::optional<payload_refusal> check_size(const push_content& content,
                                          const std::optional<activity_event>& event,
                                          std::string_view marker) {
  const auto message = render_message(content, event, job_id{}.to_string(), std::nullopt, marker);
  if (!message.ok())
    return payload_refusal{"", message.message};
  const auto size_of = [&](std::string_view name) { return message.value.text_of(name).size(); };
  if (const auto size = size_of("notification") + size_of("data"); size > fcm_payload_limit_bytes)
    return too_large(largest_of(content, event), "notification and data", size);
  for (const auto name : member_names)
    if (const auto size = size_of(name); size > fcm_payload_limit_bytes)
      return too_large("/fcm" + json_pointer_step(name), name, size);
  return std::nullopt;
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
  const auto content = push_content::parse(job.payload);
  if (!content.ok())
    return result<fcm_body>::failure(content.code, content.message);
  const auto id = job.id.to_string();
  const auto message =
    render_message(content.value, job.activity, id, remaining_fcm_ttl(job, now), marker);
  if (!message.ok())
    return result<fcm_body>::failure(message.code, message.message);
  return result<fcm_body>::success(
    {R"({"message":{"token":")", "\"," + message.value.text().substr(1) + "}"});
}

std::optional<payload_refusal> check_fcm_payload(std::string_view payload,
                                                 std::string_view marker) {
  constexpr std::size_t marker_bytes = 64;
  // Rendering writes no value in more than twice its length.
  const bool is_small =
    payload.size() * 2 + marker.size() + marker_bytes <= fcm_payload_limit_bytes;
  // Looked at by text alone, since this happens to every job.
  constexpr std::array<std::string_view, 5> suspicious{R"(fcm":)", R"(from":)", R"(message_type":)",
                                                       "google", "gcm"};
  if (is_small && !quotes_any(payload, suspicious))
    return std::nullopt;
  const auto content = push_content::parse(payload);
  if (!content.ok())
    return payload_refusal{"", content.message};
  if (auto refusal = check_names(content.value))
    return refusal;
  return is_small ? std::nullopt : check_size(content.value, std::nullopt, marker);
}

std::optional<payload_refusal> check_fcm_activity(std::string_view payload,
                                                  const activity_request& request,
                                                  std::string_view marker) {
  const auto content = push_content::parse(payload);
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
