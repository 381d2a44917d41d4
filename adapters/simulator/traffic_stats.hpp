#pragma once

#include "adapters/simulator/hash_set.hpp"

#include <boost/json/object.hpp>

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

namespace signalbox::sim {

/// What one provider of the simulator saw, as `GET /stats` shows it.
struct traffic_totals {
  /// Complete requests, however answered: `accepted + rejected`.
  std::uint64_t requests = 0;
  /// Answered 200, or counted so before falling silent (`no-answer`, `reset`).
  std::uint64_t accepted = 0;
  std::uint64_t rejected = 0;
  /// `rejected` by the reason in the answer.
  std::map<std::string, std::uint64_t, std::less<>> by_reason;
  /// Distinct tokens in complete requests, whatever the answer.
  std::uint64_t unique_targets = 0;
  /// Distinct tokens in accepted requests.
  std::uint64_t unique_accepted = 0;
  /// Distinct apns-ids in complete requests; FCM: distinct pairs of job marker and token.
  std::uint64_t unique_apns_ids = 0;
  /// Accepts beyond the first per apns-id, or per pair of job marker and token.
  std::uint64_t duplicates = 0;
  /// Accepted Live Activity requests with a lower order value than an earlier accepted one for the
  /// same token and activity.
  std::uint64_t out_of_order = 0;
  /// The same by `aps.timestamp`.
  std::uint64_t timestamp_decreased = 0;
  /// Requests that never got their answer: `no-answer`, `reset`, and those whose stream or
  /// connection ended before the answer was due.
  std::uint64_t unanswered = 0;
  /// HTTP/2 connections opened.
  std::uint64_t connections = 0;
  /// GOAWAY frames sent by `goaway_every`.
  std::uint64_t goaways = 0;
  /// Streams refused by `refuse_every`.
  std::uint64_t refused_streams = 0;
  /// Requests to FCM's token endpoint, which are no `requests`.
  std::uint64_t token_requests = 0;
  /// Management requests for broadcast channels of APNs, which are no `requests` either.
  std::uint64_t channel_requests = 0;

  traffic_totals& operator+=(const traffic_totals& other);
};

boost::json::object to_json(const traffic_totals& totals);

/// Counts the traffic of one provider. Not thread-safe: it lives on the I/O thread.
class traffic_stats {
public:
  /// Announces the hashes that `count_*` will be called with, to hide the memory's latency.
  void prefetch(std::uint64_t target, std::uint64_t message_id) const noexcept {
    accepted_targets_.prefetch(target);
    seen_ids_.prefetch(message_id);
    accepted_ids_.prefetch(message_id);
  }

  void count_request() noexcept { ++totals_.requests; }
  void count_target(std::uint64_t target, bool is_accepted);
  void count_message_id(std::uint64_t message_id) { seen_ids_.insert(message_id); }

  /// `message_id` is absent where the client sent none: such accepts are never duplicates.
  void count_accepted(std::optional<std::uint64_t> message_id);
  void count_rejected(std::string_view reason);

  /// An accepted Live Activity request; `key` stands for a token and an activity.
  void count_order(std::uint64_t key, double value);
  void count_timestamp(std::uint64_t key, std::int64_t seconds);

  void count_unanswered(std::uint64_t count = 1) noexcept { totals_.unanswered += count; }

  void count_token_request() noexcept { ++totals_.token_requests; }
  void count_channel_request() noexcept { ++totals_.channel_requests; }
  void count_connection() noexcept { ++totals_.connections; }
  void count_goaway() noexcept { ++totals_.goaways; }
  void count_refused_stream() noexcept { ++totals_.refused_streams; }

  traffic_totals totals() const;
  void clear();

private:
  traffic_totals totals_;
  /// A target is looked for in both sets only when it is new to one: most are accepted once.
  hash_set accepted_targets_;
  hash_set rejected_targets_;
  hash_set seen_ids_;
  hash_set accepted_ids_;
  std::unordered_map<std::uint64_t, double> latest_order_;
  std::unordered_map<std::uint64_t, std::int64_t> latest_timestamp_;
};

} // namespace signalbox::sim
