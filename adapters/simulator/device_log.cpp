#include "adapters/simulator/device_log.hpp"

#include "adapters/simulator/text_hash.hpp"

#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>

namespace signalbox::sim {

namespace json = boost::json;

namespace {

constexpr std::string_view own_field = "apns-id";

void append(std::string& to, std::string_view name, std::string_view value) {
  to.append(name).push_back('\0');
  to.append(value).push_back('\0');
}

std::string_view take(std::string_view& from) {
  const auto end = from.find('\0');
  const auto taken = from.substr(0, end);
  from.remove_prefix(end + 1);
  return taken;
}

void share(std::string_view text, std::shared_ptr<const std::string>& latest) {
  if (*latest != text)
    latest = std::make_shared<std::string>(text);
}

} // namespace

void device_log::record(std::string_view token, std::uint64_t hash, const request& in,
                        bool is_accepted, bool is_live_activity) {
  auto* entry = place(token, hash, is_live_activity);
  if (entry == nullptr)
    return;
  ++entry->requests;
  if (is_accepted)
    keep(in, *entry);
}

device_log::device* device_log::place(std::string_view token, std::uint64_t hash,
                                      bool is_live_activity) {
  const bool takes_new = is_live_activity || keeps_all_ || pushed_ < push_limit;
  if (!takes_new && !filter_[filter_place(hash)])
    return nullptr;
  const auto found = devices_.find(hash);
  if (found != devices_.end())
    return &found->second;
  if (!takes_new)
    return nullptr;
  if (is_live_activity) {
    if (!keeps_all_ && live_activities_.size() >= live_activity_limit) {
      devices_.erase(live_activities_.front());
      live_activities_.pop_front();
    }
    live_activities_.push_back(hash);
  } else
    ++pushed_;
  filter_.set(filter_place(hash));
  auto& made = devices_[hash];
  made.token = token;
  return &made;
}

// The path ends with the token for APNs, and names the app alone elsewhere: little to share.
void device_log::keep(const request& in, device& into) {
  scratch_.clear();
  append(scratch_, ":method", in.method);
  const bool is_own_path = in.path.ends_with(into.token);
  append(scratch_, ":path",
         is_own_path ? in.path.substr(0, in.path.size() - into.token.size()) : in.path);
  into.id.clear();
  for (const auto& field : in.fields)
    if (field.name == own_field)
      into.id = field.value;
    else
      append(scratch_, field.name, field.value);
  share(scratch_, latest_fields_);
  share(in.body, latest_body_);
  into.fields = latest_fields_;
  into.body = latest_body_;
}

std::optional<json::object> device_log::find(std::string_view token) const {
  const auto found = devices_.find(text_hash(token));
  if (found == devices_.end())
    return {};
  const auto& entry = found->second;
  json::object result{{"token", entry.token}, {"requests", entry.requests}, {"last", nullptr}};
  if (entry.fields == nullptr)
    return result;
  json::object headers;
  std::string_view rest{*entry.fields};
  while (!rest.empty()) {
    const auto name = take(rest);
    headers[name] = take(rest);
  }
  if (auto& path = headers[":path"].as_string(); path.ends_with('/'))
    path.append(entry.token);
  if (!entry.id.empty())
    headers[own_field] = entry.id;
  json::error_code error;
  auto body = json::parse(*entry.body, error);
  if (error)
    body = *entry.body;
  result["last"] = json::object{
    {"headers", std::move(headers)}, {"body", std::move(body)}, {"body_text", *entry.body}};
  return result;
}

void device_log::clear() {
  devices_.clear();
  filter_.reset();
  live_activities_.clear();
  pushed_ = 0;
}

} // namespace signalbox::sim
