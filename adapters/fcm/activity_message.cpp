#include "adapters/fcm/activity_message.hpp"

#include "adapters/payload/json_text.hpp"

#include <string>

namespace signalbox {

namespace {

void set_own_data(const activity_event& event, json_draft& data) {
  const std::string_view state = event.content_state;
  data.set_text("type", "live_activity")
    .set_text("action", to_string(event.action))
    .set_text("activity_id", event.activity)
    .set_text("activity_type", event.type)
    .set_text("timestamp", std::to_string(event.timestamp_s))
    .set_text("payload", state.empty() ? "{}" : state);
}

void add_state_members(std::string_view state, json_draft& data) {
  json_members members{state};
  for (json_member one; members.next(one);) {
    const auto name = read_json_string(one.name);
    if (one.value == "null" || !name || is_reserved_by_fcm(*name))
      continue;
    const bool is_text = one.value.starts_with('"');
    data.add(one.name, is_text ? std::string{one.value} : write_json_string(one.value));
  }
}

std::string render_collapse_key(const push_content& content, const activity_event& event) {
  auto given = content.text_of("collapse_id");
  if (given.empty() && event.action != activity_action::start)
    given = event.activity;
  return given;
}

} // namespace

bool is_reserved_by_fcm(std::string_view key) {
  return key == "from" || key == "message_type" || key.starts_with("google") ||
         key.starts_with("gcm");
}

result<unit> render_fcm_activity(const push_content& content, const activity_event& event,
                                 json_draft& message) {
  auto& data = message.object("data");
  set_own_data(event, data);
  if (!event.content_state.empty()) {
    if (const auto state = push_content::parse(event.content_state); !state.ok())
      return result<unit>::failure(state.code, "content-state: " + state.message);
    add_state_members(event.content_state, data);
  }
  auto& android = message.object("android");
  if (const auto key = render_collapse_key(content, event); !key.empty())
    android.set_text("collapse_key", key);
  const auto priority = content.text_of("priority");
  android.set_text("priority", priority.empty() || priority == "high" ? "high" : "normal");
  return result<unit>::success({});
}

void restore_activity_data(const activity_event& event, json_draft& message) {
  set_own_data(event, message.object("data"));
}

} // namespace signalbox
