#pragma once

#include "adapters/simulator/device_log.hpp"
#include "adapters/simulator/exchange.hpp"
#include "adapters/simulator/fault_plan.hpp"
#include "adapters/simulator/traffic_stats.hpp"

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace signalbox::sim {

/// What one simulated provider says to a request, with its faults and counters. The connections
/// (`provider_connection`) act on the faults that concern connections and streams; everything else
/// is the service's. Not thread-safe: it lives on the I/O thread.
class provider_service {
public:
  virtual ~provider_service() = default;

  /// Decides on one complete request and counts it. `out` is clear on entry.
  virtual void handle(const request& in, answer& out) = 0;

  /// False to serve messages that RFC 9113, section 8 calls malformed, as some providers do.
  virtual bool requires_well_formed_messages() const = 0;

  /// Whether it is asked over HTTP/1.1, too; over HTTP/2 always.
  virtual bool takes_http1() const = 0;

  fault_plan& faults() noexcept { return faults_; }
  traffic_stats& stats() noexcept { return stats_; }
  device_log& devices() noexcept { return devices_; }

protected:
  provider_service(std::uint64_t seed, std::vector<std::string> permanent_reasons)
    : faults_{seed, std::move(permanent_reasons)} {}

  fault_plan faults_;
  traffic_stats stats_;
  device_log devices_;
};

} // namespace signalbox::sim
