#include "adapters/apns/render.hpp"

#include "adapters/apns/activity_render.hpp"
#include "adapters/apns/collapse_id.hpp"
#include "adapters/payload/apns_overlay.hpp"
#include "adapters/payload/json_text.hpp"
#include "adapters/payload/push_content.hpp"

#include <array>
#include <chrono>

namespace signalbox {

namespace {

std::string push_type_of(const push_content& content, const apns_overlay& over) {
  auto given = over.header("apns-push-type");
  return !given.empty() ? given : content.is_silent() ? "background" : "alert";
}

void render_aps(const push_content& content, std::string_view push_type, json_draft& aps) {
  if (content.is_silent()) {
    aps.set("content-available", "1");
    return;
  }
  if (!content.json_of("title").empty() || !content.json_of("body").empty()) {
    auto& alert = aps.object("alert");
    content.copy("title", alert, "title");
    content.copy("body", alert, "body");
  }
  content.copy("sound", aps, "sound");
  content.copy("badge", aps, "badge");
  content.copy("thread_id", aps, "thread-id");
  content.copy("category", aps, "category");
  if (!content.json_of("image_url").empty())
    aps.set("mutable-content", "1");
  if (push_type == "widgets" || push_type == "controls")
    aps.set("content-changed", "true");
}

std::string render_body(const push_content& content, const apns_overlay& over,
                        std::string_view push_type) {
  json_draft body;
  render_aps(content, push_type, body.object("aps"));
  content.copy("image_url", body, "image_url");
  json_members data{content.object_of("data")};
  for (json_member one; data.next(one);)
    body.add(one.name, one.value);
  body.merge(over.payload());
  return body.text();
}

std::string render_priority(const push_content& content, const apns_overlay& over) {
  if (auto given = over.header("apns-priority"); !given.empty())
    return given;
  if (content.is_silent())
    return "5";
  const auto priority = content.text_of("priority");
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

std::string render_collapse_id(const job_context& job, const push_content& content,
                               const apns_overlay& over, std::string_view push_type) {
  auto given = over.header("apns-collapse-id");
  if (given.empty())
    given = content.text_of("collapse_id");
  if (!given.empty())
    return apns_collapse_id(given);
  return push_type == "alert" ? job.id.to_string() : std::string{};
}

std::string topic_of(const apns_push_type& type, std::string_view bundle) {
  return std::string{bundle}.append(type.topic_suffix);
}

result<apns_request> render_push(const job_context& job, std::string_view bundle) {
  const auto content = push_content::parse(job.payload);
  if (!content.ok())
    return result<apns_request>::failure(content.code, content.message);
  const apns_overlay over{content.value};
  auto push_type = push_type_of(content.value, over);
  const auto* type = find_apns_push_type(push_type);
  if (type == nullptr)
    return result<apns_request>::failure(errc::invalid, "payload: no push type " + push_type);
  apns_request request;
  request.body = render_body(content.value, over, push_type);
  request.topic = topic_of(*type, bundle);
  request.priority = render_priority(content.value, over);
  request.expiration = over.header("apns-expiration");
  request.collapse_id = render_collapse_id(job, content.value, over, push_type);
  request.push_type = std::move(push_type);
  return result<apns_request>::success(std::move(request));
}

} // namespace

result<apns_request> render_apns(const job_context& job, std::string_view bundle) {
  auto request = job.activity ? render_apns_activity(job, bundle) : render_push(job, bundle);
  if (!request.value.expiration.empty())
    return request;
  request.value.expiration = render_expiration(job);
  // Broadcasts need one (Apple, "Sending broadcast push notification requests"), and 0 is what
  // every channel takes: a deadline alone, such as the end of the activity, asks for no storage.
  if (!request.value.broadcast_path.empty() && !job.options.ttl)
    request.value.expiration = "0";
  return request;
}

std::optional<payload_refusal> check_apns_payload(std::string_view payload,
                                                  std::string_view bundle) {
  // Rendering adds less than 512 bytes of its own and writes no value in more than twice its
  // length, so that ordinary payloads need not be rendered to know.
  constexpr std::array<std::string_view, 1> overlay{R"(apns":)"};
  if (payload.size() * 2 + 512 <= apns_payload_limit_bytes && !quotes_any(payload, overlay))
    return std::nullopt;
  const auto content = push_content::parse(payload);
  if (!content.ok())
    return payload_refusal{"", content.message};
  const apns_overlay over{content.value};
  const auto push_type = push_type_of(content.value, over);
  const auto* type = find_apns_push_type(push_type);
  if (type == nullptr)
    return payload_refusal{"/apns/headers/apns-push-type", "is no push type of APNs"};
  if (const auto topic = over.header("apns-topic");
      !topic.empty() && topic != topic_of(*type, bundle))
    return payload_refusal{"/apns/headers/apns-topic", "must be " + topic_of(*type, bundle) +
                                                         ", which is the topic of push type " +
                                                         push_type};
  const auto size = render_body(content.value, over, push_type).size();
  if (size <= type->payload_limit_bytes)
    return std::nullopt;
  return payload_refusal{
    "/" + std::string{content.value.largest(
            {"title", "body", "image_url", "sound", "data", "thread_id", "category", "apns"})},
    "the APNs payload is " + std::to_string(size) + " bytes, and the limit is " +
      std::to_string(type->payload_limit_bytes)};
}

} // namespace signalbox
