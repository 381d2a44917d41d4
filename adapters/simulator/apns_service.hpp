#pragma once

#include "adapters/simulator/apns_payload.hpp"
#include "adapters/simulator/apns_rules.hpp"
#include "adapters/simulator/broadcast_channels.hpp"
#include "adapters/simulator/provider_service.hpp"
#include "adapters/simulator/provider_token.hpp"

#include <cstdint>
#include <filesystem>
#include <random>
#include <string>

namespace signalbox::sim {

/// APNs as its clients see it: `POST /3/device/<token>`, `POST /4/broadcasts/apps/<bundle>`, and
/// the management of broadcast channels, which Apple serves on a host of its own.
///
/// Permanent faults are `410 Unregistered`, `410 ExpiredToken`, `400 BadDeviceToken` and
/// `400 DeviceTokenNotForTopic`, in this order. A body that is not as `apns_payload_reader` wants
/// it is refused with 400 `BadPayload`, a reason that Apple does not list, and a `detail`.
class apns_service final : public provider_service {
public:
  /// The provider tokens are those of `apns_key_id` and `apns_team_id`, made with the private half
  /// of `public_key_pem`.
  apns_service(std::uint64_t seed, std::string bundle, std::string order_key,
               const std::filesystem::path& public_key_pem);

  void handle(const request& in, answer& out) override;
  bool requires_well_formed_messages() const override { return true; }
  bool takes_http1() const override { return false; }

private:
  apns_rejection check(const request& in, const apns_request& parsed, answer& out);
  apns_rejection check_provider_token(const apns_request& parsed);
  void apply_faults(const apns_request& parsed, std::uint64_t id_hash, answer& out);
  apns_rejection scripted(const fault& how, answer& out) const;
  void manage_channels(const request& in, const apns_request& parsed, answer& out);
  void write_rejection(const apns_rejection& why, answer& out) const;
  void reject(const apns_rejection& why, answer& out);
  void judge_order(const request& in, const apns_request& parsed, std::uint64_t target_hash);
  void name_answer(const apns_request& parsed, answer& out);

  apns_rules rules_;
  broadcast_channels channels_;
  provider_token_verifier tokens_;
  apns_payload_reader payloads_;
  std::mt19937_64 random_;
};

} // namespace signalbox::sim
