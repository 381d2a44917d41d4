#pragma once

#include "runtime/node_settings.hpp"

#include <cstddef>

namespace signalbox {

/// Descriptors that a node keeps for itself, by who has them; docs/operations.md has the sum.
struct descriptor_needs {
  std::size_t providers = 0; ///< connections of all senders, and the loops they run on
  std::size_t store = 0;
  std::size_t rest = 0; ///< HTTP loops, log, credentials, and a reserve

  std::size_t total() const { return providers + store + rest; }
};

descriptor_needs needed_descriptors(const node_settings& settings);

/// What is left for clients.
struct client_budget {
  std::size_t connections = 0; ///< at most http.max-connections
  std::size_t refused = 0;     ///< see http::server_options
  std::size_t wanted = 0;      ///< the limit with which the settings would fit
};

/// Divides a limit so that providers and store are never short, as long as `least_clients` fit,
/// too.
client_budget budget_descriptors(const node_settings& settings, std::size_t limit);

constexpr std::size_t least_clients = 8;

} // namespace signalbox
