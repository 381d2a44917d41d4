#include "adapters/apns/activity_render.hpp"

#include "adapters/apns/collapse_id.hpp"
#include "adapters/payload/apns_overlay.hpp"
#include "adapters/payload/json_draft.hpp"
#include "adapters/payload/push_content.hpp"

#include <utility>

namespace signalbox {

namespace {

// As many digits as it has until the year 2286.
constexpr std::int64_t some_timestamp_s = 1'700'000'000;
constexpr std::string_view push_type = "liveactivity";

bool is_broadcast(const activity_event& event) {
  return event.action != activity_action::start && !event.channel.empty();
}

// What no overlay changes.
void set_order(const activity_event& event, json_draft& aps) {
  aps.set("timestamp", std::to_string(event.timestamp_s));
  aps.set_text("event", to_string(event.action));
}

void render_aps(const push_content& content, const activity_event& event, json_draft& aps) {
  set_order(event, aps);
  if (!event.content_state.empty())
    aps.set("content-state", event.content_state);
  content.copy("stale_date", aps, "stale-date");
  content.copy("dismissal_date", aps, "dismissal-date");
  content.copy("relevance_score", aps, "relevance-score");
  content.copy("alert", aps, "alert");
  if (event.action != activity_action::start)
    return;
  content.copy("attributes_type", aps, "attributes-type");
  content.copy("attributes", aps, "attributes");
  if (!content.json_of("input_push_channel").empty())
    content.copy("input_push_channel", aps, "input-push-channel");
  else if (content.is_set("input_push_token"))
    aps.set("input-push-token", "1");
}

result<std::string> render_body(const push_content& content, const activity_event& event) {
  if (!event.content_state.empty())
    if (const auto state = push_content::parse(event.content_state); !state.ok())
      return result<std::string>::failure(state.code, "content-state: " + state.message);
  json_draft body;
  render_aps(content, event, body.object("aps"));
  body.merge(apns_overlay{content}.payload());
  set_order(event, body.object("aps"));
  return result<std::string>::success(body.text());
}

// Apple takes 10 and 5 for them, but not 1.
std::string render_priority(const push_content& content, const apns_overlay& over) {
  if (auto given = over.header("apns-priority"); !given.empty())
    return given;
  const auto asked = content.text_of("priority");
  return asked.empty() || asked == "high" ? "10" : "5";
}

std::string render_expiration(const push_content& content, const apns_overlay& over) {
  auto given = over.header("apns-expiration");
  return given.empty() ? std::string{content.json_of("expiration")} : given;
}

std::string render_collapse_id(const push_content& content, const apns_overlay& over,
                               const activity_event& event) {
  auto given = over.header("apns-collapse-id");
  if (given.empty())
    given = content.text_of("collapse_id");
  if (given.empty() && event.action != activity_action::start)
    given = event.activity;
  return given.empty() ? given : apns_collapse_id(given);
}

std::string topic_of(std::string_view bundle) {
  return std::string{bundle}.append(find_apns_push_type(push_type)->topic_suffix);
}

} // namespace

result<apns_request> render_apns_activity(const job_context& job, std::string_view bundle) {
  const auto& event = *job.activity;
  const auto content = push_content::parse(job.payload);
  if (!content.ok())
    return result<apns_request>::failure(content.code, content.message);
  auto body = render_body(content.value, event);
  if (!body.ok())
    return result<apns_request>::failure(body.code, body.message);
  const apns_overlay over{content.value};
  apns_request request;
  request.body = std::move(body.value);
  request.push_type = push_type;
  request.priority = render_priority(content.value, over);
  request.expiration = render_expiration(content.value, over);
  if (is_broadcast(event)) {
    request.broadcast_path = "/4/broadcasts/apps/" + std::string{bundle};
  } else {
    request.topic = topic_of(bundle);
    request.collapse_id = render_collapse_id(content.value, over, event);
  }
  return result<apns_request>::success(std::move(request));
}

std::optional<payload_refusal>
check_apns_activity(std::string_view payload, activity_request& request, std::string_view bundle) {
  const auto content = push_content::parse(payload);
  if (!content.ok())
    return payload_refusal{"", content.message};
  const apns_overlay over{content.value};
  if (const auto topic = over.header("apns-topic"); !topic.empty() && topic != topic_of(bundle))
    return payload_refusal{"/apns/headers/apns-topic", "must be " + topic_of(bundle)};
  activity_event event;
  event.action = request.action;
  event.timestamp_s = some_timestamp_s;
  event.content_state = request.content_state;
  const auto body = render_body(content.value, event);
  if (!body.ok())
    return payload_refusal{"", body.message};
  const bool may_be_broadcast = request.action != activity_action::start;
  const auto limit = may_be_broadcast ? apns_broadcast_limit_bytes : apns_payload_limit_bytes;
  const auto size = body.value.size();
  request.apns_bytes = size;
  if (size <= limit)
    return std::nullopt;
  const auto largest = content.value.largest({"alert", "attributes", "apns"});
  const bool is_state = event.content_state.size() >= content.value.json_of(largest).size();
  return payload_refusal{is_state ? std::string{content_state_pointer} : "/" + std::string{largest},
                         "the APNs payload is " + std::to_string(size) +
                           " bytes, and the limit is " + std::to_string(limit)};
}

} // namespace signalbox
