#pragma once

#include "adapters/simulator/provider_service.hpp"

#include <cstdint>

namespace signalbox::sim {

/// The place of FCM HTTP v1: counts every request and answers 501 UNIMPLEMENTED in FCM's error
/// form, so that a client that is pointed here is told so. `faults` act on connections and streams.
class fcm_service final : public provider_service {
public:
  explicit fcm_service(std::uint64_t seed);

  void handle(const request& in, answer& out) override;

  /// firebase-admin sends `https:` as `:scheme`, which FCM takes.
  bool requires_well_formed_messages() const override { return false; }
};

} // namespace signalbox::sim
