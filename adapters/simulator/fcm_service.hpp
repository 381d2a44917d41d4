#pragma once

#include "adapters/simulator/access_tokens.hpp"
#include "adapters/simulator/fcm_message.hpp"
#include "adapters/simulator/provider_service.hpp"

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

namespace signalbox::sim {

/// FCM HTTP v1 as its clients see it: `POST /v1/projects/<project>/messages:send` and, on the same
/// port, the OAuth2 token endpoint `POST /token`.
///
/// Permanent faults are `404 UNREGISTERED`, `403 SENDER_ID_MISMATCH` and `400 INVALID_ARGUMENT`, in
/// this order. Any other code of the mix becomes an FcmError where FCM has it, else a canonical
/// one.
class fcm_service final : public provider_service {
public:
  /// `marker_key` is the member of `data` by which duplicates are known, `order_key` the member
  /// of its `payload` that orders Live Activities; `public_key_pem` is the service account's.
  fcm_service(std::uint64_t seed, std::string marker_key, std::string order_key,
              const std::filesystem::path& public_key_pem);

  /// Where the token endpoint is reached: the audience of assertions.
  void set_token_uri(std::string uri) { tokens_.set_token_uri(std::move(uri)); }

  void handle(const request& in, answer& out) override;

  /// firebase-admin sends `https:` as `:scheme`, which FCM takes.
  bool requires_well_formed_messages() const override { return false; }
  bool takes_http1() const override { return true; }

private:
  fcm_error check(const request& in, const fcm_message& message, answer& out);
  fcm_error check_credentials(const request& in);
  void apply_faults(const fcm_message& message, std::optional<std::uint64_t> id, answer& out);
  void reject(const fcm_error& why, answer& out);

  const std::string send_path_;
  access_tokens tokens_;
  fcm_message_reader messages_;
  std::uint64_t last_message_ = 0;
};

} // namespace signalbox::sim
