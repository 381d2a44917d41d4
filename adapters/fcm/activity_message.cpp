#include "adapters/fcm/activity_message.hpp"

#include "adapters/payload/push_content.hpp"

#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>

#include <charconv>
#include <string>
#include <utility>

namespace signalbox {

namespace json = boost::json;

namespace {

// Boost.JSON would write 1.5 as 1.5E0.
std::string number_text(double value) {
  char text[32];
  const auto end = std::to_chars(text, text + sizeof text, value).ptr;
  return {text, end};
}

std::string flatten(const json::value& value) {
  if (const auto* text = value.if_string())
    return std::string{*text};
  if (const auto* number = value.if_double())
    return number_text(*number);
  return json::serialize(value);
}

json::object own_data(const activity_event& event) {
  const std::string_view state = event.content_state;
  return {
    {"type", "live_activity"},
    {"action", to_string(event.action)},
    {"activity_id", event.activity},
    {"activity_type", event.type},
    {"timestamp", std::to_string(event.timestamp_s)},
    {"payload", state.empty() ? "{}" : state},
  };
}

std::string_view render_collapse_key(const json::object& content, const activity_event& event) {
  if (const auto given = text_of(content, "collapse_id"); !given.empty())
    return given;
  if (event.action == activity_action::start)
    return {};
  return event.activity;
}

} // namespace

bool is_reserved_by_fcm(std::string_view key) {
  return key == "from" || key == "message_type" || key.starts_with("google") ||
         key.starts_with("gcm");
}

result<json::object> render_fcm_activity(const json::object& content, const activity_event& event) {
  auto data = own_data(event);
  if (!event.content_state.empty()) {
    const auto state = parse_content(event.content_state);
    if (!state.ok())
      return result<json::object>::failure(state.code, "content-state: " + state.message);
    // emplace keeps what is there.
    for (const auto& [name, value] : state.value)
      if (!value.is_null() && !is_reserved_by_fcm(name))
        data.emplace(name, flatten(value));
  }
  json::object android;
  if (const auto key = render_collapse_key(content, event); !key.empty())
    android["collapse_key"] = key;
  const auto priority = text_of(content, "priority");
  android["priority"] = priority.empty() || priority == "high" ? "high" : "normal";
  return result<json::object>::success(
    {{"data", std::move(data)}, {"android", std::move(android)}});
}

void restore_activity_data(const activity_event& event, json::object& message) {
  auto& data = message["data"];
  if (!data.is_object())
    data = json::object{};
  for (const auto& [name, value] : own_data(event))
    data.get_object()[name] = value;
}

} // namespace signalbox
