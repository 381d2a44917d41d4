#pragma once

#include "messages/result.hpp"
#include "messages/work.hpp"

#include <chrono>
#include <filesystem>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

namespace signalbox {

/// The key an app's provider tokens are signed with, as Apple's developer account names it.
struct provider_key {
  std::string team;           ///< `iss`
  std::string key_id;         ///< `kid`
  std::filesystem::path file; ///< the .p8: an EC P-256 private key, PKCS#8, PEM
  auto operator<=>(const provider_key&) const = default;
};

/// How old a token gets. Apple, "Establishing a token-based connection to APNs": refresh no more
/// than once every 20 minutes and no less than once every 60 minutes.
struct provider_token_policy {
  std::chrono::minutes refresh_after{50};  ///< 20 to 59
  std::chrono::minutes least_interval{20}; ///< between two updates APNs did not ask for
};

/// A moment by both clocks: the one that APNs compares `iat` with, which may be set, and the one
/// that only runs, by which ages are told.
struct token_time {
  std::chrono::sys_seconds wall;
  boot_clock::time_point boot;
};

/// Signs a provider token: a JWT with ES256, `alg`, `kid`, `iss` and `iat`. Fails with
/// errc::invalid, naming the file, when it holds no P-256 private key.
result<std::string> sign_provider_token(const provider_key& key, const std::string& pem,
                                        std::chrono::sys_seconds issued_at);

/// The current provider token of one (team, key, environment).
///
/// Thread-safe. `current` is for the send path: it never signs, nor waits for that. Signing and
/// reading the key file happen in `refresh`, which one thread calls (provider_token_keeper).
class provider_token {
public:
  using text_ptr = std::shared_ptr<const std::string>;

  provider_token(provider_key key, provider_token_policy policy);

  /// The value of the `authorization` header, "bearer <jwt>"; null as long as none could be signed.
  text_ptr current() const;

  const provider_key& key() const { return key_; }

  /// APNs answered ExpiredProviderToken to a request with this token: asks for a new one, once.
  /// Nothing happens when the token has been replaced since, or when APNs already made us replace
  /// one within the least interval: then it is the clock that is wrong. Once the clock has been
  /// set, the interval does not count.
  void report_expired(const text_ptr& used);

  /// APNs answered InvalidProviderToken to a request with this token: a new one is signed if the
  /// clock has been set since this one was, which makes its `iat` the likely cause.
  void report_refused(const text_ptr& used);

  /// APNs answered TooManyProviderTokenUpdates: keeps the current token for the least interval, as
  /// long as it is younger than 59 minutes.
  void report_too_many_updates();

  /// Asks for the key file to be read again. A key that has changed is used at once; an unchanged
  /// one keeps its token.
  void reload();

  /// Signs a new token if one is due, by age, by request, or because the clock as it is now makes
  /// the token one from the future or one that is over. Returns why that failed; empty when it did
  /// not, or nothing was due. For one thread at a time.
  std::string refresh(const token_time& now);

  /// Why the last refresh failed, or empty. The token before stays in use meanwhile.
  std::string last_error() const;

  /// Called (on the thread that asked) when `refresh` has something to do before its time.
  void on_request(std::function<void()> wake);

private:
  enum class request { none, refused, expired, reload };

  bool due_by_age(const token_time& now) const;
  bool clock_was_set(const token_time& now) const;
  bool due_by_answer(request why, const token_time& now) const;
  std::string replace(std::string pem, const token_time& now, bool forced);
  void ask(request what);

  const provider_key key_;
  const provider_token_policy policy_;

  // Held for the exchange of a pointer. Not std::atomic: libstdc++ 12 unlocks its shared_ptr
  // without a release.
  mutable std::mutex current_mutex_;
  text_ptr current_;

  mutable std::mutex mutex_;
  std::function<void()> wake_;
  request request_ = request::none;
  bool too_many_updates_ = false;
  std::string error_;

  // Touched by refresh alone.
  std::string pem_;
  token_time issued_at_{};
  std::optional<boot_clock::time_point> forced_at_;
  std::optional<boot_clock::time_point> hold_until_;
};

} // namespace signalbox
