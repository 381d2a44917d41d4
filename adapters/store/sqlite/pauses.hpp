#pragma once

#include "actors/ports/job_control.hpp"
#include "adapters/store/sqlite/pool.hpp"
#include "messages/job.hpp"

#include <atomic>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

namespace signalbox::sqlite {

class connection;

/// What a rule asks of a job.
struct job_traits {
  job_id id;
  app_id app = default_app;
  std::string lane;
  scope_kind scope = scope_kind::topic;
  std::string scope_name;
};

bool names_nothing(const work_rule& rule);
/// Whether it is about single jobs, and not about all of a destination or lane.
bool is_about_jobs(const work_rule& rule);
/// Whether the job fits, in whatever destination.
bool fits(const work_rule& rule, const job_traits& job);
bool fits(const work_rule& rule, pool_code pool);

/// The pauses there are, in memory. Changed by the writer alone, after a commit, and read by all.
/// Thread-safe; costs one atomic read while there is none.
class pause_list {
public:
  bool is_empty() const { return !has_any_; }
  /// Whether any is about jobs: else jobs need not be looked at.
  bool has_any_of_jobs() const { return has_any_of_jobs_; }

  /// Whether one covers all that goes from the lane to the destination.
  bool covers(const std::string& lane, app_id app, pool_code pool) const;
  /// Whether one covers what the job sends to the pool; without a pool, anything of it.
  bool covers(const job_traits& job, std::optional<pool_code> pool) const;

  std::vector<pause_view> list() const; ///< by id
  void set(std::vector<pause_view> pauses);

private:
  std::shared_ptr<const std::vector<pause_view>> get() const;

  std::atomic<bool> has_any_{false};
  std::atomic<bool> has_any_of_jobs_{false};
  mutable std::mutex mutex_;
  std::shared_ptr<const std::vector<pause_view>> pauses_ =
    std::make_shared<const std::vector<pause_view>>();
};

// The rows, in the writer's transaction.

std::vector<pause_view> read_pauses(connection& database);
pause_view insert_pause(connection& database, work_rule rule, std::string reason, timestamp now);
bool delete_pause(connection& database, std::int64_t id);

} // namespace signalbox::sqlite
