#pragma once

#include "messages/activity.hpp"
#include "messages/destination.hpp"
#include "messages/ids.hpp"

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace signalbox {

/// SPEC 3, States. The numbers are stored: never change one.
enum class job_status : std::uint8_t {
  scheduled = 1,
  queued = 2,
  in_progress = 3,
  dispatched = 4,
  completed = 5,
  failed = 6,
  cancelled = 7,
  expired = 8,
  superseded = 9,
};

/// As the HTTP API spells it, e.g. "IN_PROGRESS".
std::string_view to_string(job_status value);
std::optional<job_status> parse_job_status(std::string_view text);

enum class scope_kind : std::uint8_t { topic = 1, user = 2, users = 3, tokens = 4, activity = 5 };

/// Which receipts are stored; counts are always exact.
enum class receipts_policy : std::uint8_t { failures = 1, all = 2, none = 3 };

/// What becomes of a request that left and was never answered.
enum class unknown_policy : std::uint8_t { resend = 1, give_up = 2 };

struct inline_token {
  platform provider = platform::apns;
  environment env = environment::production;
  std::string token;
};

/// Whom a job is for, as the request names them.
struct job_scope {
  scope_kind kind = scope_kind::topic;
  std::string name;                 ///< the topic or the user
  std::vector<std::string> users;   ///< kind users
  std::vector<inline_token> tokens; ///< kind tokens
};

struct job_options {
  std::optional<std::chrono::seconds>
    ttl; ///< from acceptance or `not_before`; 0: one try, never retried
  std::optional<timestamp> expires_at;
  receipts_policy receipts = receipts_policy::failures;
  unknown_policy on_unknown = unknown_policy::resend;
};

/// A validated job that is not yet stored.
struct new_job {
  job_id id;
  app_id app = default_app;
  std::string lane;
  job_scope scope;
  /// The request's content members as one JSON object (title, body, image_url, sound, badge, data,
  /// silent, collapse_id, priority, thread_id, category, apns, fcm), known to be valid; objects
  /// stand as the caller wrote them. Renderers read it; nothing between them and the HTTP adapter
  /// looks inside.
  std::string payload;
  job_options options;
  std::string reference; ///< the caller's own id for it, at most 128 bytes; empty: none
  timestamp created_at;
  std::optional<timestamp> not_before; ///< scheduled_at
  /// A dispatch of a Live Activity. `scope` is then the start's user or topic, or whom an update or
  /// end without an id is for; kind `activity` when the id says all. `payload` has the request's
  /// options instead of a push's members: alert, attributes_type, attributes, priority, stale_date,
  /// dismissal_date, relevance_score, collapse_id, input_push_token, input_push_channel,
  /// expiration (epoch seconds), apns, fcm.
  std::optional<activity_request> activity;
};

/// What a sender needs to know of a job, shared by all its chunks.
struct job_context {
  job_id id;
  app_id app = default_app;
  std::string payload;
  job_options options;
  timestamp created_at;
  std::optional<timestamp> not_before;
  std::optional<activity_event> activity; ///< for a dispatch of a Live Activity

  /// When a target that has not been sent counts as expired: the earlier of `expires_at` and a ttl
  /// above 0. A ttl of 0 never expires before its one try.
  std::optional<timestamp> deadline() const;
  bool single_try() const { return options.ttl && options.ttl->count() == 0; }
};

using job_context_ptr = std::shared_ptr<const job_context>;

/// Each target counted once (SPEC 1.2).
struct job_counts {
  std::int64_t accepted = 0;
  std::int64_t rejected = 0;
  std::int64_t unknown = 0;
  std::int64_t expired = 0;
  std::int64_t skipped = 0;

  std::int64_t finished() const { return accepted + rejected + unknown + expired + skipped; }
  job_counts& operator+=(const job_counts& other);
  auto operator<=>(const job_counts&) const = default;
};

} // namespace signalbox
