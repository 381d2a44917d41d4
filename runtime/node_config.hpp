#pragma once

#include "runtime/node_settings.hpp"

#include <caf/actor_system_config.hpp>

namespace signalbox {

/// CAF's own configuration for a node's actor system, from checked settings only: CAF reads neither
/// the command line nor a file. Message types and modules are added by who makes the system.
class node_config : public caf::actor_system_config {
public:
  explicit node_config(const node_settings& settings);
};

} // namespace signalbox
