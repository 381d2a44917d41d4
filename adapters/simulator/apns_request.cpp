#include "adapters/simulator/apns_request.hpp"

#include <algorithm>

namespace signalbox::sim {

namespace {

constexpr std::string_view device_path = "/3/device";
constexpr std::string_view broadcasts_path = "/4/broadcasts/apps/";
constexpr std::string_view apps_path = "/1/apps/";
constexpr std::size_t longest_epoch = 18;

// By length first: this runs for every header of every request.
std::optional<std::string_view>* find_member(apns_request& out, std::string_view name,
                                             std::optional<std::string_view>& request_id) {
  switch (name.size()) {
  case 7:
    return name == "apns-id" ? &out.id : nullptr;
  case 10:
    return name == "apns-topic" ? &out.topic : nullptr;
  case 13:
    return name == "apns-priority"   ? &out.priority
           : name == "authorization" ? &out.authorization
                                     : nullptr;
  case 14:
    return name == "apns-push-type" ? &out.push_type : nullptr;
  case 15:
    return name == "apns-expiration"   ? &out.expiration
           : name == "apns-channel-id" ? &out.channel_id
           : name == "apns-request-id" ? &request_id
                                       : nullptr;
  case 16:
    return name == "apns-collapse-id" ? &out.collapse_id : nullptr;
  default:
    return nullptr;
  }
}

void parse_app_path(std::string_view path, apns_request& out) {
  if (path.starts_with(broadcasts_path)) {
    out.bundle = path.substr(broadcasts_path.size());
    if (!out.bundle.empty() && out.bundle.find('/') == path.npos)
      out.path = apns_request::path_kind::broadcast;
    return;
  }
  if (!path.starts_with(apps_path))
    return;
  path.remove_prefix(apps_path.size());
  const auto slash = path.find('/');
  if (slash == path.npos)
    return;
  out.bundle = path.substr(0, slash);
  const auto noun = path.substr(slash + 1);
  if (noun == "channels")
    out.path = apns_request::path_kind::channels;
  else if (noun == "all-channels")
    out.path = apns_request::path_kind::all_channels;
}

} // namespace

apns_request parse_apns_request(const request& in) {
  apns_request out;
  out.method = in.method;
  if (in.path.starts_with(device_path)) {
    const auto rest = in.path.substr(device_path.size());
    if (rest.empty() || rest == "/")
      out.path = apns_request::path_kind::no_device;
    else if (rest.front() == '/' && rest.find('/', 1) == rest.npos) {
      out.path = apns_request::path_kind::device;
      out.token = rest.substr(1);
    }
  } else
    parse_app_path(in.path, out);
  std::optional<std::string_view> request_id;
  for (const auto& field : in.fields) {
    auto* member = find_member(out, field.name, request_id);
    if (member == nullptr)
      continue;
    out.has_duplicate = out.has_duplicate || member->has_value();
    *member = field.value;
  }
  const bool is_broadcast = out.path == apns_request::path_kind::broadcast;
  if (is_broadcast)
    out.token = out.channel_id.value_or("");
  if (request_id && (is_broadcast || is_for_channels(out.path)))
    out.id = request_id;
  return out;
}

bool is_apns_id(std::string_view text) noexcept {
  if (text.size() != 36)
    return false;
  bool ok = text[8] == '-' && text[13] == '-' && text[18] == '-' && text[23] == '-';
  int digits = 0;
  for (const char c : text)
    digits += (c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'f') ? 1 : 0;
  return ok && digits == 32;
}

bool is_apns_epoch(std::string_view text) noexcept {
  return !text.empty() && text.size() <= longest_epoch &&
         std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

} // namespace signalbox::sim
