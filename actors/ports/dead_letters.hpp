#pragma once

#include "actors/ports/callback.hpp"
#include "actors/ports/page.hpp"
#include "messages/destination.hpp"
#include "messages/ids.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace signalbox {

struct dead_letter_filter {
  app_id app = default_app;
  std::optional<job_id> job;
  std::string lane;        ///< empty: any
  std::string reason;      ///< "max_attempts", "lease_lost"; empty: any
  std::string reference{}; ///< of the job; empty: any
};

struct dead_letter_view {
  job_id job;
  std::string lane;
  platform provider = platform::apns;
  environment env = environment::production;
  std::string token; ///< empty: deleted since
  std::uint32_t attempts = 0;
  std::string reason;     ///< why it was given up: "max_attempts", "lease_lost"
  std::string last_error; ///< the provider's reason of the last try
  timestamp dead_lettered_at;
  std::optional<job_id> replayed_by; ///< the job that sends it again
  std::string reference;             ///< the caller's own id for the job; empty: none
};

/// One job that a replay made, or, in a dry run, would make.
struct replayed_job {
  std::optional<job_id> job; ///< none in a dry run
  job_id replay_of;
  std::string lane;
  std::int64_t targets = 0;
};

struct replay_result {
  std::vector<replayed_job> jobs; ///< one for each job that the letters came from
  std::int64_t targets = 0;
  bool more = false; ///< call again for the rest
};

struct dead_letter_count {
  std::int64_t letters = 0;
  bool more = false; ///< call again for the rest
};

/// What could not be delivered, for a person to see and to send again. Asynchronous and thread-safe
/// like job_store.
class dead_letter_office {
public:
  virtual ~dead_letter_office() = default;

  /// Newest first. A page looks at a bounded number of letters: where few fit, it may be short, or
  /// empty, and still have a next one.
  virtual void list_dead_letters(dead_letter_filter filter, page_request page,
                                 callback<page_of<dead_letter_view>> done) = 0;
  /// Makes a new job, with `replay_of`, of each job's letters, and marks the letters with it in the
  /// same transaction: a letter is replayed once, whoever asks and however often. A bounded number
  /// of letters a call. The new job's ttl counts from now; an expires_at that has passed is
  /// dropped.
  virtual void replay_dead_letters(dead_letter_filter filter, bool dry_run,
                                   callback<replay_result> done) = 0;
  /// Deletes, replayed ones included; a bounded number a call.
  virtual void delete_dead_letters(dead_letter_filter filter, callback<dead_letter_count> done) = 0;
};

} // namespace signalbox
