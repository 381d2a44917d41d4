#pragma once

#include "adapters/fcm/access_token.hpp"
#include "adapters/http2/backoff.hpp"
#include "adapters/http2/proxy_settings.hpp"

#include <chrono>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>

namespace signalbox {

struct access_token_options {
  std::string ca_file; ///< PEM bundle of trust anchors; empty: the system's
  proxy_settings proxy;
  connection_board* board = nullptr;           ///< outlives the keeper; null: nobody is told
  std::chrono::milliseconds timeout{10'000};   ///< of connecting, and of the answer
  std::chrono::seconds refresh_before{5 * 60}; ///< the end of a token, or a quarter of its life
  std::chrono::milliseconds least_interval{60'000}; ///< at most, between tokens that FCM refuses
  /// Also of an exchange that is refused: a clock that was wrong, or an endpoint, may be mended.
  backoff_range retry{std::chrono::milliseconds{500}, std::chrono::milliseconds{30'000}};
  /// Told, on the keeper's thread, of each new token of an account.
  std::function<void(const std::filesystem::path& account)> on_renewed;
};

/// How long after it came a token of so long a life is replaced: so long before its end, or a
/// quarter of its life if that is less.
std::chrono::nanoseconds refreshed_after(std::chrono::seconds life,
                                         std::chrono::seconds before_end);

/// Keeps the access tokens of a node fresh, on one thread of its own: exchanges an assertion signed
/// with the service account's key for a token that lasts about an hour, one exchange at a time for
/// each account, and again in time before it ends. Thread-safe.
class access_token_keeper {
public:
  /// Throws std::runtime_error, naming the file, when the trust anchors cannot be read.
  explicit access_token_keeper(access_token_options options = {});
  ~access_token_keeper();

  access_token_keeper(const access_token_keeper&) = delete;
  access_token_keeper& operator=(const access_token_keeper&) = delete;

  /// The token of a service account file. The first call for one reads the file, on the caller's
  /// thread (a failure is told by `last_error` and tried again), and starts the exchange in the
  /// background.
  std::shared_ptr<access_token> token_for(const std::filesystem::path& service_account_file);

  /// Reads the files again and fetches tokens with what is in them. Returns at once; `done` is
  /// called on the keeper's thread when every exchange has ended, unless the keeper goes before.
  void reload(std::function<void()> done);

private:
  class core;
  const std::unique_ptr<core> core_;
};

} // namespace signalbox
