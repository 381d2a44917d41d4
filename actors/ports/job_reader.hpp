#pragma once

#include "actors/ports/callback.hpp"
#include "actors/ports/page.hpp"
#include "messages/job.hpp"
#include "messages/outcome.hpp"

#include <optional>
#include <string>
#include <vector>

namespace signalbox {

/// A job as `GET /v1/notifications/{job}` shows it.
struct job_view {
  job_id id;
  std::string lane;
  scope_kind scope = scope_kind::topic;
  std::string scope_name;
  job_status status = job_status::queued;
  std::optional<std::int64_t> total; ///< none until planning is done
  std::int64_t planned = 0;
  job_counts counts;
  timestamp created_at;
  std::optional<timestamp> not_before;
  std::optional<timestamp> expires_at;
  std::optional<timestamp> completed_at;
  std::optional<job_id> replay_of; ///< the job whose dead letters this one sends again
  bool paused = false;             ///< a pause covers it
  std::string reference;           ///< the caller's own id for it; empty: none

  std::int64_t pending() const { return planned - counts.finished(); }
};

/// Which jobs a list is to show: those that fit every member.
struct job_query {
  scope_kind scope = scope_kind::topic; ///< of `name`: user or topic
  std::string name;                     ///< whom it is addressed to; empty: anybody
  std::optional<job_status> status;
  std::string lane;                    ///< empty: any
  std::string reference;               ///< empty: any
  std::optional<timestamp> since;      ///< created then or later
  std::optional<timestamp> due_before; ///< open, and due (created, or scheduled for) before that
};

struct receipt_view {
  std::optional<platform> provider; ///< none: of a token that is gone, and from an older store
  std::string token;
  outcome_status status = outcome_status::rejected;
  std::string reason;
  std::string provider_id; ///< the apns-id
  std::string unique_id;   ///< the apns-unique-id of the last answer, from the sandbox
  timestamp at;
};

/// Count of outcomes by status and reason, from the stored receipts.
struct reason_count {
  outcome_status status = outcome_status::rejected;
  std::string reason;
  std::int64_t count = 0;
};

/// A lane, configured or not, and how many of its jobs have not ended.
struct lane_jobs {
  std::string lane;
  std::int64_t open = 0;
};

/// What the HTTP API asks about jobs. Asynchronous and thread-safe like job_store.
class job_reader {
public:
  virtual ~job_reader() = default;

  virtual void get_job(app_id app, job_id id, callback<job_view> done) = 0;
  virtual void list_receipts(app_id app, job_id id, page_request page,
                             callback<page_of<receipt_view>> done) = 0;
  virtual void count_reasons(app_id app, job_id id, callback<std::vector<reason_count>> done) = 0;
  /// Jobs that fit, newest first; not_found when `query.name` is nobody's. A page costs a bounded
  /// number of rows: where few jobs fit, it may be short, or empty, and still have a next one.
  virtual void list_jobs(app_id app, job_query query, page_request page,
                         callback<page_of<job_view>> done) = 0;
  /// Cancels: the status is set at once; what has not been sent is skipped (SPEC 3, States). The
  /// same terminal state again is ok; another terminal state is a conflict.
  virtual void cancel_job(app_id app, job_id id, callback<job_view> done) = 0;
  /// The lanes that have open jobs, by name.
  virtual void count_open_jobs(callback<std::vector<lane_jobs>> done) = 0;
  /// A cheap read and the writer's state, for /readyz.
  virtual void check_health(callback<unit> done) = 0;
};

} // namespace signalbox
