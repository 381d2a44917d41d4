#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>

namespace signalbox::sim {

/// What a provider token (JWT, ES256) is worth. Apple: "Establishing a token-based connection to
/// APNs".
enum class token_verdict { valid, invalid, expired };

/// Verifies APNs provider tokens: signature, `alg`, `kid`, `iss`, and an `iat` that is at most
/// 60 minutes old and at most a minute ahead, for a client whose clock is. The signature may be
/// that of JWT (r and s) or, as some clients sign and APNs takes, that of X.509 (in ASN.1). A token
/// is verified once and then known by its text; only its age is looked at again. Not thread-safe.
class provider_token_verifier {
public:
  /// `public_key_pem` is the key of `key_id`. Throws `std::runtime_error` naming the file.
  provider_token_verifier(const std::filesystem::path& public_key_pem, std::string key_id,
                          std::string team_id);
  ~provider_token_verifier();

  /// `now_s` in seconds since the epoch.
  token_verdict verify(std::string_view token, std::int64_t now_s);

private:
  struct claims {
    bool genuine = false;
    std::int64_t issued_at_s = 0;
  };
  struct key_deleter {
    void operator()(void* key) const;
  };

  claims examine(std::string_view token) const;
  bool signature_holds(std::string_view signed_part, std::string_view signature) const;
  bool asn1_signature_holds(std::string_view signed_part, std::string_view signature) const;

  std::unique_ptr<void, key_deleter> key_;
  std::string key_id_;
  std::string team_id_;
  std::unordered_map<std::string, claims> known_;
  std::string latest_token_;
  claims latest_;
};

} // namespace signalbox::sim
