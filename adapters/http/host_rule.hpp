#pragma once

#include "adapters/http/request.hpp"
#include "adapters/http/response.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace signalbox::http {

/// The host of `host[:port]` (RFC 3986, section 3.2): in lower case, an IPv6 address without
/// brackets, a name without the dot at its end. Nothing when it is malformed, is empty or
/// names a user.
struct authority_host {
  std::string name;
  bool is_address = false; ///< IPv4 in four decimal parts, or IPv6
};
std::optional<authority_host> parse_authority(std::string_view authority);

/// Why a request must not be answered here, or nothing. While the API has no keys, whoever reaches
/// it may use it; so a page whose own name was made to resolve to this machine (DNS rebinding) is
/// told apart by that name: a host must be an address, `localhost` or one of `names`, which are in
/// lower case. Judges the authority of an absolute-form target as well as Host.
std::optional<response> refuse_host(const request& head, const std::vector<std::string>& names);

/// A request by which a page of another origin would change something. A browser sends such ones,
/// of simple methods and content types, without asking first.
bool is_cross_origin(const request& head);

} // namespace signalbox::http
