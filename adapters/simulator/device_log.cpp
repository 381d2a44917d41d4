#include "adapters/simulator/device_log.hpp"

#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>

namespace signalbox::sim {

namespace json = boost::json;

void device_log::record(std::string_view token, const request& in) {
  if (!enabled_)
    return;
  auto& entry = devices_[std::string{token}];
  ++entry.requests;
  entry.headers.clear();
  entry.headers.emplace_back(":method", in.method);
  entry.headers.emplace_back(":path", in.path);
  for (const auto& field : in.fields)
    entry.headers.emplace_back(field.name, field.value);
  entry.body = in.body;
}

std::optional<json::object> device_log::find(std::string_view token) const {
  const auto found = devices_.find(std::string{token});
  if (found == devices_.end())
    return {};
  const auto& entry = found->second;
  json::object headers;
  for (const auto& [name, value] : entry.headers)
    headers[name] = value;
  json::error_code error;
  auto body = json::parse(entry.body, error);
  if (error)
    body = entry.body;
  return json::object{
    {"token", found->first},
    {"requests", entry.requests},
    {"last", json::object{{"headers", std::move(headers)}, {"body", std::move(body)}}}};
}

} // namespace signalbox::sim
