#include "adapters/http/route_support.hpp"

#include "adapters/http/identifiers.hpp"
#include "adapters/http/json_reader.hpp"
#include "adapters/http/rfc3339.hpp"

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
  else if (document.root().is_null())
    return;
  else if (document.root().get(object) != simdjson::SUCCESS || object.size() > 0)
    errors.push_back({"", "must be empty: the path says all"});
}

void check_horizon(std::string_view pointer, std::optional<timestamp> time, timestamp from,
                   std::chrono::milliseconds max, std::vector<field_error>& errors) {
  const auto latest = from + max;
  if (time && *time > latest)
    errors.push_back({std::string{pointer}, "must not be after " + format_rfc3339(latest) +
                                              "; the setting ingest.max-schedule bounds it"});
}

std::optional<response> check_json_type(const request& from,
                                        const std::vector<std::string_view>& others) {
  auto type = from.media_type();
  if (type.empty() || type == "application/json" || type == "application/x-www-form-urlencoded" ||
      (type.size() > 5 && type.substr(type.size() - 5) == "+json"))
    return std::nullopt;
  std::string taken = "application/json";
  for (const auto other : others)
    taken.append(other == others.back() ? " or " : ", ").append(other);
  return problem(415, "The body must be " + taken + '.');
}

} // namespace signalbox::http
