#pragma once

#include "adapters/http2/client_options.hpp"
#include "messages/result.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace signalbox {

/// Which hosts are reached through which HTTP proxy, as HTTPS_PROXY and NO_PROXY say.
struct proxy_settings {
  std::optional<http_proxy> proxy;
  std::vector<std::string> bypass; ///< lowercase names; "*" for all

  /// The proxy for a host; none if there is none or the host is to be reached directly. A bypass
  /// entry stands for a host and everything below it.
  std::optional<http_proxy> for_host(std::string_view host) const;
};

/// Reads the values of HTTPS_PROXY (`[http://][user[:password]@]host[:port][/]`, port 80 by
/// default, user and password percent-encoded; empty: no proxy) and NO_PROXY (names separated by
/// commas). Fails with errc::invalid, naming the variable and never the password.
result<proxy_settings> parse_proxy_settings(std::string_view https_proxy,
                                            std::string_view no_proxy);

/// The same from this process's environment: HTTPS_PROXY or https_proxy, NO_PROXY or no_proxy.
result<proxy_settings> proxy_settings_from_environment();

} // namespace signalbox
