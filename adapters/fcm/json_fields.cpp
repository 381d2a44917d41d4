#include "adapters/fcm/json_fields.hpp"

#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>

namespace signalbox {

namespace json = boost::json;

std::optional<json::object> parse_json_object(std::string_view text) {
  boost::system::error_code error;
  const auto parsed = json::parse(text, error);
  if (error || !parsed.is_object())
    return std::nullopt;
  return parsed.get_object();
}

std::string_view text_of(const json::object& from, std::string_view name) {
  const auto* value = from.if_contains(name);
  return value != nullptr && value->is_string() ? std::string_view{value->get_string()}
                                                : std::string_view{};
}

const json::object* object_of(const json::object& from, std::string_view name) {
  const auto* value = from.if_contains(name);
  return value == nullptr ? nullptr : value->if_object();
}

} // namespace signalbox
