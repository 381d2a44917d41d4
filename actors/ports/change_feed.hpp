#pragma once

#include "actors/ports/activity_directory.hpp"
#include "actors/ports/callback.hpp"
#include "actors/ports/job_reader.hpp"

#include <cstddef>
#include <memory>
#include <unordered_set>
#include <vector>

namespace signalbox {

/// Whose changes somebody wants to hear of.
struct change_filter {
  bool all = false; ///< activities, and jobs but for those of a single target
  std::shared_ptr<const std::unordered_set<job_id>> jobs{}; ///< these as well; may be null
};

struct change_set {
  std::vector<job_view> jobs;
  std::vector<activity_view> activities;
  bool more = false; ///< there are others: ask again
  bool lost = false; ///< more had changed than are remembered
};

/// Jobs and activities as they change, for those who watch. Asynchronous and thread-safe like
/// job_store.
class change_feed {
public:
  virtual ~change_feed() = default;

  /// From now on what changes is noted, up to a bound, or no longer.
  virtual void watch(bool on) = 0;

  /// What has changed since it was last asked, as it is now, of at most `limit` changes. After a
  /// failure the next call has them.
  virtual void take_changes(change_filter filter, std::size_t limit, callback<change_set> done) = 0;

  /// What has not ended, and what has since then: activities, and jobs but for those of a single
  /// target, the newest first. Of the very many, only the newest few thousand are looked at.
  virtual void list_recent(timestamp since, std::size_t limit, callback<change_set> done) = 0;

  virtual void get_job(app_id app, job_id id, callback<job_view> done) = 0;
  virtual void get_activity(app_id app, std::string activity, callback<activity_view> done) = 0;
};

} // namespace signalbox
