#pragma once

#include "adapters/http2/backoff.hpp"
#include "adapters/http2/client_options.hpp"
#include "adapters/http2/delivery_pool.hpp"
#include "adapters/http2/proxy_settings.hpp"

#include <cstddef>
#include <string>

namespace signalbox {

/// What a provider transport's pools have in common.
struct delivery_options : connection_limits {
  /// PEM bundle of trust anchors; empty: the system's.
  std::string ca_file;
  std::size_t connections = 4; ///< for each destination
  backoff_range reconnect;
  proxy_settings proxy;
  connection_board* board = nullptr; ///< outlives the transport; null: nobody is told
};

/// A pool to the server of the destination, through the proxy if one is meant for it.
pool_options pool_options_to(const destination& dest, const network_host& server,
                             const delivery_options& options);

} // namespace signalbox
