#pragma once

#include "adapters/http2/backoff.hpp"
#include "adapters/http2/client_options.hpp"
#include "adapters/http2/delivery_pool.hpp"
#include "adapters/http2/proxy_settings.hpp"

#include <chrono>
#include <cstddef>
#include <string>

namespace signalbox {

/// What a provider transport's pools have in common; see client_options for the timeouts.
struct delivery_options {
  /// PEM bundle of trust anchors; empty: the system's.
  std::string ca_file;
  std::size_t connections = 4;   ///< for each destination
  std::size_t max_streams = 100; ///< for each connection; the peer's SETTINGS may lower it
  std::chrono::milliseconds request_timeout{10'000};
  std::chrono::milliseconds connect_timeout{10'000};
  std::chrono::milliseconds ping_interval{30'000};
  std::chrono::milliseconds ping_timeout{10'000};
  std::chrono::milliseconds idle_timeout{30 * 60'000};
  backoff_range reconnect;
  proxy_settings proxy;
};

/// A pool to the server, through the proxy if one is meant for it.
pool_options pool_options_to(const network_host& server, const delivery_options& options);

/// The `:authority` of requests to the server (RFC 9113, 8.3.1).
std::string authority_of(const network_host& server);

} // namespace signalbox
