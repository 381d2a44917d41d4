#include "adapters/payload/push_content.hpp"

#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>

#include <utility>

namespace signalbox {

namespace json = boost::json;

result<json::object> parse_content(std::string_view payload) {
  boost::system::error_code error;
  auto content = json::parse(payload, error);
  if (error)
    return result<json::object>::failure(errc::invalid, "payload: " + error.message());
  if (!content.is_object())
    return result<json::object>::failure(errc::invalid, "payload: not a JSON object");
  return result<json::object>::success(std::move(content.get_object()));
}

bool is_silent(const json::object& content) {
  return is_set(content, "silent");
}

bool is_set(const json::object& content, std::string_view name) {
  const auto* value = content.if_contains(name);
  return value != nullptr && value->is_bool() && value->get_bool();
}

std::string_view text_of(const json::object& content, std::string_view name) {
  const auto* value = content.if_contains(name);
  return value != nullptr && value->is_string() ? std::string_view{value->get_string()}
                                                : std::string_view{};
}

const json::object* object_of(const json::object& content, std::string_view name) {
  const auto* value = content.if_contains(name);
  return value == nullptr ? nullptr : value->if_object();
}

void copy_if_set(const json::object& from, std::string_view name, json::object& to,
                 std::string_view new_name) {
  if (const auto* value = from.if_contains(name); value != nullptr && !value->is_null())
    to[new_name] = *value;
}

void merge_over(json::object& target, const json::object& patch) {
  for (const auto& [name, value] : patch) {
    if (value.is_null()) {
      target.erase(name);
    } else if (value.is_object()) {
      auto& member = target[name];
      if (!member.is_object())
        member = json::object{};
      merge_over(member.get_object(), value.get_object());
    } else {
      target[name] = value;
    }
  }
}

} // namespace signalbox
