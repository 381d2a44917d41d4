#pragma once

#include "adapters/simulator/exchange.hpp"
#include "adapters/simulator/fault_plan.hpp"

#include <boost/json/object.hpp>

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>

namespace signalbox::sim {

/// Google's OAuth2 token endpoint for one service account, and the access tokens it handed out
/// (RFC 7523; Google, "Using OAuth 2.0 for Server to Server Applications"). Checks an assertion's
/// form, `alg`, `kid`, signature, `iss`, `scope`, `aud`, `iat` and `exp`. Not thread-safe.
class access_tokens {
public:
  /// `public_key_pem` is the service account's. Throws `std::runtime_error` naming the file.
  explicit access_tokens(const std::filesystem::path& public_key_pem);
  ~access_tokens();

  /// `/token`, and where Google serves the same under an older name.
  static bool is_token_path(std::string_view path) noexcept;

  /// The `aud` that assertions must have, unless it is one of Google's own: some clients leave
  /// `token_uri` alone.
  void set_token_uri(std::string uri) { token_uri_ = std::move(uri); }

  /// Answers a `POST` to one of these paths.
  void handle(const request& in, const fault_settings& faults, std::int64_t now_s, answer& out);

  /// Whether `token` was handed out and still counts.
  bool is_valid(std::string_view token, const fault_settings& faults, std::int64_t now_s);

private:
  struct grant {
    std::int64_t expires_at_s = 0;
    std::int64_t generation = 0;
  };
  struct refusal {
    std::string_view error; ///< empty: none
    std::string_view description;
  };
  struct key_deleter {
    void operator()(void* key) const;
  };

  bool is_audience(const boost::json::object& claims) const;
  refusal check(std::string_view form, std::int64_t now_s) const;
  bool signature_holds(std::string_view signed_part, std::string_view signature) const;

  std::unique_ptr<void, key_deleter> key_;
  std::string token_uri_;
  std::unordered_map<std::string, grant> granted_;
  std::string latest_token_;
  grant latest_;
};

} // namespace signalbox::sim
