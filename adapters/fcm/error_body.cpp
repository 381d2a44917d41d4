#include "adapters/fcm/error_body.hpp"

#include "adapters/fcm/json_fields.hpp"
#include "adapters/http2/plain_text.hpp"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>

#include <algorithm>

namespace signalbox {

namespace json = boost::json;

namespace {

constexpr std::size_t longest_field = 64;
constexpr std::string_view invalid_argument = "INVALID_ARGUMENT";

struct error_details {
  std::string_view code;
  std::string_view field;
};

error_details read_details(const json::object& error) {
  error_details found;
  const auto* details = error.if_contains("details");
  if (details == nullptr || !details->is_array())
    return found;
  for (const auto& detail : details->get_array()) {
    if (!detail.is_object())
      continue;
    const auto& members = detail.get_object();
    if (text_of(members, "@type").ends_with("FcmError"))
      found.code = text_of(members, "errorCode");
    const auto* violations = members.if_contains("fieldViolations");
    if (violations != nullptr && violations->is_array() && !violations->get_array().empty() &&
        violations->get_array()[0].is_object() && found.field.empty())
      found.field = text_of(violations->get_array()[0].get_object(), "field");
  }
  return found;
}

// Without keys of data, which are somebody's content.
std::string_view plain_path(std::string_view field) {
  const auto end = std::find_if_not(field.begin(), field.end(), [](unsigned char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c == '.';
  });
  return field.substr(0, std::min(longest_field, static_cast<std::size_t>(end - field.begin())));
}

} // namespace

std::string read_fcm_error(std::string_view body) {
  const auto parsed = parse_json_object(body);
  if (!parsed)
    return {};
  const auto* error = object_of(*parsed, "error");
  if (error == nullptr)
    return {};
  const auto details = read_details(*error);
  auto reason = plain_text(details.code.empty() ? text_of(*error, "status") : details.code);
  if (reason != invalid_argument)
    return reason;
  auto field = plain_path(details.field);
  if (details.field.empty() && !details.code.empty() &&
      text_of(*error, "message").find("registration token") != std::string_view::npos)
    field = "message.token";
  if (!field.empty())
    reason.append(":").append(field);
  return reason;
}

} // namespace signalbox
