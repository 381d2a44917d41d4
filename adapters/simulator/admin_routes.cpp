#include "adapters/simulator/admin_routes.hpp"

#include "adapters/simulator/simulator.hpp"

#include <boost/json/array.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>

#include <charconv>
#include <string>

namespace signalbox::sim {

namespace json = boost::json;

namespace {

admin_reply refuse(int status, std::string_view detail, std::string_view member = {}) {
  return {status, problem(status, detail, member)};
}

std::string_view title(int status) {
  switch (status) {
  case 400:
    return "Bad Request";
  case 404:
    return "Not Found";
  case 405:
    return "Method Not Allowed";
  default:
    return "Content Too Large";
  }
}

// RFC 6901, section 3. `member` is made of names joined by slashes, and no name has one.
std::string pointer(std::string_view member) {
  std::string result = "/";
  for (const char c : member)
    result += c == '~' ? std::string{"~0"} : std::string{c};
  return result;
}

admin_reply answer_faults(simulator& target, std::string_view body) {
  json::error_code error;
  const auto faults = json::parse(body, error);
  if (error)
    return refuse(400, "the body is not JSON: " + error.message());
  if (!faults.is_object())
    return refuse(400, "the body must be an object");
  if (const auto failure = target.set_faults(faults.get_object()))
    return refuse(400, failure->member + " " + failure->detail, failure->member);
  return {200, {{"status", "ok"}}};
}

// RFC 3986, section 2.1. A plus sign stands for itself: channel ids have it.
std::string percent_decoded(std::string_view text) {
  std::string result;
  for (std::size_t at = 0; at < text.size(); ++at) {
    unsigned code = 0;
    const auto* const digits = text.data() + at + 1;
    if (text[at] == '%' && at + 2 < text.size() &&
        std::from_chars(digits, digits + 2, code, 16).ptr == digits + 2) {
      result += static_cast<char>(code);
      at += 2;
    } else
      result += text[at];
  }
  return result;
}

admin_reply answer_device(simulator& target, std::string_view query) {
  constexpr std::string_view parameter = "token=";
  if (!query.starts_with(parameter) || query.size() == parameter.size())
    return refuse(400, "the query must be token=TOKEN");
  if (auto device = target.device(percent_decoded(query.substr(parameter.size()))))
    return {200, std::move(*device)};
  return refuse(404, "no request that is kept named this token; to keep all devices, start with "
                     "--record-devices or POST /faults {\"record_devices\": true}");
}

} // namespace

json::object problem(int status, std::string_view detail, std::string_view member) {
  json::object result{
    {"type", "about:blank"}, {"title", title(status)}, {"status", status}, {"detail", detail}};
  if (!member.empty())
    result.emplace("errors",
                   json::array{json::object{{"pointer", pointer(member)}, {"detail", detail}}});
  return result;
}

admin_reply answer_admin(simulator& target, std::string_view method, std::string_view path,
                         std::string_view body) {
  const auto mark = path.find('?');
  const auto query = mark == path.npos ? std::string_view{} : path.substr(mark + 1);
  auto route = path.substr(0, mark);
  if (route.size() > 1 && route.ends_with('/'))
    route.remove_suffix(1);
  const bool post = route == "/faults" || route == "/reset";
  if (!post && route != "/livez" && route != "/stats" && route != "/stats/devices")
    return refuse(404, "no such path");
  if (method != (post ? "POST" : "GET"))
    return refuse(405, std::string{"the method must be "} + (post ? "POST" : "GET"));
  if (route == "/faults")
    return answer_faults(target, body);
  if (route == "/stats")
    return {200, target.stats()};
  if (route == "/stats/devices")
    return answer_device(target, query);
  if (route == "/reset")
    target.reset();
  return {200, {{"status", "ok"}}};
}

} // namespace signalbox::sim
