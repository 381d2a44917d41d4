#include "adapters/apns/render.hpp"

#include "adapters/apns/activity_render.hpp"
#include "adapters/payload/push_content.hpp"

#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>

#include <chrono>
#include <initializer_list>

namespace signalbox {

namespace json = boost::json;

namespace {

json::object render_alert(const json::object& content) {
  json::object alert;
  copy_if_set(content, "title", alert, "title");
  copy_if_set(content, "body", alert, "body");
  return alert;
}

json::object render_aps(const json::object& content) {
  if (is_silent(content))
    return {{"content-available", 1}};
  json::object aps;
  if (auto alert = render_alert(content); !alert.empty())
    aps["alert"] = std::move(alert);
  copy_if_set(content, "sound", aps, "sound");
  copy_if_set(content, "badge", aps, "badge");
  copy_if_set(content, "thread_id", aps, "thread-id");
  copy_if_set(content, "category", aps, "category");
  if (!text_of(content, "image_url").empty())
    aps["mutable-content"] = 1;
  return aps;
}

json::object render_body(const json::object& content) {
  json::object body;
  body["aps"] = render_aps(content);
  copy_if_set(content, "image_url", body, "image_url");
  // emplace keeps what is there: data overwrites nothing.
  if (const auto* data = object_of(content, "data"))
    for (const auto& [name, value] : *data)
      body.emplace(name, value);
  if (const auto* over = object_of(content, "apns"))
    merge_over(body, *over);
  return body;
}

std::string render_priority(const json::object& content) {
  if (is_silent(content))
    return "5";
  const auto priority = text_of(content, "priority");
  return priority == "normal" ? "5" : priority == "low" ? "1" : "10";
}

std::string render_expiration(const job_context& job) {
  if (job.single_try())
    return "0";
  const auto deadline = job.deadline();
  if (!deadline)
    return {};
  const auto seconds = std::chrono::floor<std::chrono::seconds>(*deadline);
  return std::to_string(seconds.time_since_epoch().count());
}

std::string render_collapse_id(const job_context& job, const json::object& content) {
  if (const auto given = text_of(content, "collapse_id"); !given.empty())
    return std::string{given};
  return is_silent(content) ? std::string{} : job.id.to_string();
}

result<apns_request> render_push(const job_context& job, std::string_view bundle) {
  auto content = parse_content(job.payload);
  if (!content.ok())
    return result<apns_request>::failure(content.code, content.message);
  return result<apns_request>::success({
    .body = json::serialize(render_body(content.value)),
    .topic = std::string{bundle},
    .push_type = is_silent(content.value) ? "background" : "alert",
    .priority = render_priority(content.value),
    .expiration = {},
    .collapse_id = render_collapse_id(job, content.value),
    .broadcast_path = {},
  });
}

} // namespace

result<apns_request> render_apns(const job_context& job, std::string_view bundle) {
  auto request = job.activity ? render_apns_activity(job, bundle) : render_push(job, bundle);
  request.value.expiration = render_expiration(job);
  // Broadcasts need one (Apple, "Sending broadcast push notification requests"), and 0 is what
  // every channel takes: a deadline alone, such as the end of the activity, asks for no storage.
  if (!request.value.broadcast_path.empty() && !job.options.ttl)
    request.value.expiration = "0";
  return request;
}

std::optional<std::string> check_apns_size(std::string_view payload) {
  // Rendering adds less than 512 bytes of its own and writes no value in more than twice its
  // length, so that ordinary payloads need not be rendered to know.
  if (payload.size() * 2 + 512 <= apns_payload_limit_bytes)
    return std::nullopt;
  auto content = parse_content(payload);
  if (!content.ok())
    return content.message;
  const auto size = json::serialize(render_body(content.value)).size();
  if (size <= apns_payload_limit_bytes)
    return std::nullopt;
  return "the APNs payload is " + std::to_string(size) + " bytes, and the limit is " +
         std::to_string(apns_payload_limit_bytes);
}

} // namespace signalbox
