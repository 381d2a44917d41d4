#include "adapters/http/route_support.hpp"

#include "adapters/http/identifiers.hpp"
#include "adapters/http/json_reader.hpp"

namespace signalbox::http {

response failed(errc code, const std::string& message) {
  switch (code) {
  case errc::not_found:
    return problem(404, message);
  case errc::conflict:
    return problem(409, message);
  case errc::invalid:
    return problem(400, message);
  case errc::busy:
  case errc::unavailable:
  case errc::disk_full:
  case errc::stopping:
    return unavailable(message);
  case errc::ok:
  case errc::internal:
    break;
  }
  return problem(500, message);
}

response no_content() {
  return {.status = 204, .content_type = {}};
}

void check_parameter(const request& from, std::string_view name, std::vector<field_error>& errors) {
  if (auto detail = check_identifier(from.parameter(name)))
    errors.push_back({std::string{name}, std::move(*detail)});
}

void check_no_body(const request& from, std::vector<field_error>& errors) {
  if (from.body.empty())
    return;
  json_document document{from.body};
  json_object_view object;
  if (!document.problem().empty())
    errors.push_back({"", document.problem()});
  else if (document.root().get(object) != simdjson::SUCCESS || object.size() > 0)
    errors.push_back({"", "must be empty: the path says all"});
}

std::optional<response> check_json_type(const request& from) {
  auto type = from.media_type();
  if (type.empty() || type == "application/json" || type == "application/x-www-form-urlencoded" ||
      (type.size() > 5 && type.substr(type.size() - 5) == "+json"))
    return std::nullopt;
  return problem(415, "The body must be application/json.");
}

} // namespace signalbox::http
