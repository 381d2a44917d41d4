#include "runtime/service_link.hpp"

#include <algorithm>
#include <array>

namespace signalbox {

namespace {

constexpr std::array<std::string_view, 3> protocols{"tcp", "udp", "sctp"};

bool is_number(std::string_view text) {
  return !text.empty() && text.find_first_not_of("0123456789") == std::string_view::npos;
}

// tcp://10.96.1.2:8080
bool is_link(std::string_view value) {
  return std::any_of(protocols.begin(), protocols.end(), [&](std::string_view protocol) {
    return value.starts_with(protocol) && value.substr(protocol.size()).starts_with("://") &&
           is_number(value.substr(value.rfind(':') + 1));
  });
}

// 8080_TCP, 8080_TCP_ADDR, 8080_TCP_PORT, 8080_TCP_PROTO
bool is_port_of_link(std::string_view name) {
  const auto end_of_number = name.find('_');
  if (end_of_number == std::string_view::npos || !is_number(name.substr(0, end_of_number)))
    return false;
  name.remove_prefix(end_of_number + 1);
  for (const std::string_view part : {"_ADDR", "_PORT", "_PROTO"})
    if (name.ends_with(part)) {
      name.remove_suffix(part.size());
      break;
    }
  return name == "TCP" || name == "UDP" || name == "SCTP";
}

} // namespace

bool is_service_link(std::string_view name, std::string_view value) {
  if (name.ends_with("_SERVICE_HOST"))
    return true;
  if (const auto at = name.rfind("_SERVICE_PORT"); at != std::string_view::npos) {
    const auto rest = name.substr(at + std::string_view{"_SERVICE_PORT"}.size());
    return (rest.empty() || rest.starts_with('_')) && is_number(value);
  }
  if (name.ends_with("_PORT") && is_link(value))
    return true;
  // The last but one for a name that ends in _PORT itself.
  for (auto at = name.find("_PORT_"); at != std::string_view::npos;
       at = name.find("_PORT_", at + 1))
    if (is_port_of_link(name.substr(at + std::string_view{"_PORT_"}.size())))
      return true;
  return false;
}

} // namespace signalbox
