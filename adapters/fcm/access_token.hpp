#pragma once

#include "adapters/http2/send_gate.hpp"

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

namespace signalbox {

/// What requests of a project carry.
struct fcm_credentials {
  std::string authorization; ///< "Bearer <access token>"
  std::string path;          ///< "/v1/projects/<project>/messages:send"
  std::uint32_t serial = 0;  ///< of the token, among the account's
};

/// The current access token of one service account, and the gate of its project. Thread-safe.
/// `current` is for the send path: it never waits for anything. access_token_keeper puts tokens in.
class access_token {
public:
  using clock = std::chrono::steady_clock;
  using credentials_ptr = std::shared_ptr<const fcm_credentials>;

  /// `quota` is what the gate calls the project in the log.
  explicit access_token(const std::string& quota) : gate_{std::make_shared<send_gate>(quota)} {}

  /// Null while there is none that is valid at `now`.
  credentials_ptr current(clock::time_point now) const;

  /// Why there is none, as `answer::reason`: fcm_no_credentials when the file or Google refuses us,
  /// fcm_no_access_token while none could be fetched.
  std::string obstacle() const;

  /// FCM answered 401 to a request with the token of this serial: it is not used again, and another
  /// one is fetched. Nothing happens when it has been replaced since. True when it is the third
  /// token in a row that is refused as soon as it is used: it is the account that is refused, and
  /// the token stays in use, for probes, until another one has been fetched.
  bool report_refused(std::uint32_t serial, clock::time_point now);

  /// What went wrong last, or empty.
  std::string last_error() const;

  /// Holds back the project's requests after a 429; shared by all who send for the account.
  const std::shared_ptr<send_gate>& gate() const { return gate_; }

  /// For the keeper: a new token; and why there is no new one (the one before stays in use as long
  /// as it lasts).
  void put(fcm_credentials fresh, clock::time_point expires_at);
  void fail(std::string obstacle, std::string error);
  /// Called, under a lock, when a new token is wanted before its time, with the number of those in
  /// a row that were refused as soon as they were used. Not called any more when this returns.
  void on_refused(std::function<void(unsigned in_a_row)> wake);

private:
  const std::shared_ptr<send_gate> gate_;
  mutable std::mutex mutex_;
  std::function<void(unsigned)> wake_;
  credentials_ptr current_;
  std::uint32_t last_serial_ = 0;
  mutable std::optional<clock::time_point> first_used_at_;
  clock::time_point expires_at_;
  bool refused_ = false;
  unsigned refused_in_a_row_ = 0; ///< each as soon as it was used
  std::string obstacle_;
  std::string error_;
};

} // namespace signalbox
