#pragma once

#include "actors/ports/callback.hpp"
#include "actors/ports/page.hpp"
#include "messages/destination.hpp"
#include "messages/ids.hpp"
#include "messages/ledger.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace signalbox {

/// Which work a pause or a bulk cancel is about: all that fits every member given.
struct work_rule {
  std::optional<app_id> app;
  std::string lane;  ///< empty: any
  std::string topic; ///< jobs published to it; empty: any
  std::string user;  ///< jobs sent to this one user; empty: any
  std::optional<job_id> job;
  std::optional<platform> provider;
  std::optional<environment> env;

  bool operator==(const work_rule&) const = default;
};

struct pause_view {
  std::int64_t id = 0;
  work_rule rule;
  std::string reason;
  timestamp created_at;
  bool existed = false; ///< in the answer to pause(): the same rule was there before
};

/// One slice of a bulk cancel.
struct cancel_result {
  std::vector<job_id> cancelled;
  bool more = false; ///< call again for the rest
};

/// The emergency stop. Asynchronous and thread-safe like job_store; what a callback reports as done
/// is durable, holds for claims at once, and reaches works that are claimed with their next
/// renewal.
class job_control {
public:
  virtual ~job_control() = default;

  /// The same rule again answers the pause that exists. `invalid` for a rule that names nothing.
  virtual void pause(work_rule rule, std::string reason, callback<pause_view> done) = 0;
  virtual void resume(std::int64_t pause, callback<unit> done) = 0; ///< or not_found
  virtual void list_pauses(page_request page, callback<page_of<pause_view>> done) = 0;
  /// Cancels open jobs that fit the rule and were created before the time given, oldest first, a
  /// bounded number a call. `invalid` for a rule that names nothing, or a provider or environment.
  virtual void cancel_jobs(work_rule rule, std::optional<timestamp> created_before,
                           callback<cancel_result> done) = 0;
};

} // namespace signalbox
