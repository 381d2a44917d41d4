#pragma once

#include <boost/json/object.hpp>

#include <chrono>
#include <cstdint>
#include <optional>
#include <random>
#include <string>
#include <string_view>
#include <vector>

namespace signalbox::sim {

/// What happens to a request instead of being accepted.
struct fault {
  enum class kind {
    /// Answered with `status` and `reason`.
    answer,
    /// Counted as accepted, never answered.
    no_answer,
    /// Counted as accepted, then the connection is reset.
    reset,
  };
  kind what = kind::answer;
  int status = 0;
  std::string reason;
  /// Of all requests, or of all tokens for a permanent fault; 0 to 1.
  double share = 0;
};

/// The scripted faults of one provider: the members of `POST /faults`, section 9 of the design.
struct fault_settings {
  /// `mix` entries that name the token: the same verdict for a token at all times, by
  /// `text_fraction(token)`. With {"410 Unregistered": 0.3, "400 BadDeviceToken": 0.1} tokens in
  /// [0, 0.3) are unregistered and those in [0.3, 0.4) bad, in the order of
  /// `fault_plan::permanent_reasons`.
  std::vector<fault> permanent;
  /// The other `mix` entries, drawn per request that no permanent one took.
  std::vector<fault> transient;
  /// The `retry-after` header of 429 and 503 answers out of the mix; 0 leaves it out.
  std::int64_t retry_after_s = 0;
  /// Every answer waits a time between these.
  std::chrono::milliseconds latency_min{0};
  std::chrono::milliseconds latency_max{0};
  /// Requests are read and counted, and their answers held until this is false again.
  bool stall = false;
  /// After this many requests a connection gets GOAWAY; 0: never.
  std::uint64_t goaway_every = 0;
  /// Every n-th stream is refused with REFUSED_STREAM; 0: none.
  std::uint64_t refuse_every = 0;
  std::uint32_t max_streams = 1000;
  /// New connections allow one stream until a request with a valid provider token.
  bool warmup = false;
  /// APNs: answers have `apns-unique-id`, as those of Apple's sandbox do.
  bool unique_id = false;
  /// FCM: how long an access token lasts, in seconds, and the status that the token endpoint fails
  /// with instead of handing one out; 0: it does not.
  std::int64_t token_lifetime_s = 3599;
  int token_status = 0;
  /// FCM: access tokens that were handed out under another number count as expired.
  std::int64_t token_generation = 0;
  /// The `timestamp` of 410 answers; absent: the time of the answer.
  std::optional<std::int64_t> unregistered_timestamp_ms;
};

/// A member that could not be used, as a JSON pointer's last part(s): "mix/503".
struct fault_error {
  std::string member;
  std::string detail;
};

/// The faults of one provider and the seeded generator behind them. Not thread-safe: it lives on
/// the I/O thread.
class fault_plan {
public:
  /// `permanent_reasons` are the "STATUS Reason" keys of the mix that name a token.
  fault_plan(std::uint64_t seed, std::vector<std::string> permanent_reasons);

  const fault_settings& settings() const noexcept { return settings_; }

  /// Replaces the members given and keeps the others; changes nothing when it returns an error.
  std::optional<fault_error> apply(const boost::json::object& members);

  /// No faults. The generator goes on.
  void clear() { settings_ = {}; }

  /// The verdict that `token` always gets; null for a live one. Valid until `apply` or `clear`.
  const fault* permanent_fault(std::string_view token) const;

  /// Draws for one request; null if it is to be accepted.
  const fault* draw_transient();

  std::chrono::milliseconds draw_latency();

private:
  std::optional<fault_error> apply_mix(const boost::json::value& mix, fault_settings& next) const;

  std::vector<std::string> permanent_reasons_;
  std::mt19937_64 random_;
  fault_settings settings_;
};

} // namespace signalbox::sim
