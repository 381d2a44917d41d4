#include "adapters/simulator/apns_request.hpp"

namespace signalbox::sim {

namespace {

constexpr std::string_view device_path = "/3/device";

// By length first: this runs for every header of every request.
std::optional<std::string_view>* find_member(apns_request& out, std::string_view name) {
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
    return name == "apns-expiration" ? &out.expiration : nullptr;
  case 16:
    return name == "apns-collapse-id" ? &out.collapse_id : nullptr;
  default:
    return nullptr;
  }
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
  }
  for (const auto& field : in.fields) {
    auto* member = find_member(out, field.name);
    if (member == nullptr)
      continue;
    out.has_duplicate = out.has_duplicate || member->has_value();
    *member = field.value;
  }
  return out;
}

bool is_apns_id(std::string_view text) noexcept {
  if (text.size() != 36)
    return false;
  bool ok = text[8] == '-' && text[13] == '-' && text[18] == '-' && text[23] == '-';
  int digits = 0;
  for (const char c : text)
    digits += (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') ? 1 : 0;
  return ok && digits == 32;
}

} // namespace signalbox::sim
