#pragma once

#include "actors/ports/change_feed.hpp"

#include <deque>
#include <functional>
#include <map>
#include <string>
#include <utility>
#include <vector>

namespace signalbox {

/// A feed that tests fill; it answers at once, or holds what it was asked until it is told.
class fake_feed : public change_feed {
public:
  void watch(bool on) override { watched.push_back(on); }

  void take_changes(change_filter filter, std::size_t, callback<change_set> done) override {
    filters.push_back(filter);
    answer([this, done] {
      auto now = std::exchange(changed, {});
      done(failing ? result<change_set>::failure(errc::unavailable, "gone")
                   : result<change_set>::success(std::move(now)));
    });
  }

  void list_recent(timestamp since, std::size_t, callback<change_set> done) override {
    lists.push_back(since);
    answer([this, done] {
      done(failing ? result<change_set>::failure(errc::unavailable, "gone")
                   : result<change_set>::success(recent));
    });
  }

  void get_job(app_id, job_id id, callback<job_view> done) override {
    answer([this, id, done] {
      const auto found = jobs.find(id);
      done(found == jobs.end() ? result<job_view>::failure(errc::not_found, "no such job")
                               : result<job_view>::success(found->second));
    });
  }

  void get_activity(app_id, std::string activity, callback<activity_view> done) override {
    answer([this, activity, done] {
      const auto found = activities.find(activity);
      done(found == activities.end()
             ? result<activity_view>::failure(errc::not_found, "no such activity")
             : result<activity_view>::success(found->second));
    });
  }

  void answer_held() {
    for (auto& each : std::exchange(held_, {}))
      each();
  }

  change_set changed; ///< since it was last asked
  change_set recent;
  std::map<job_id, job_view> jobs;
  std::map<std::string, activity_view> activities;
  bool failing = false;
  bool holding = false;
  std::vector<bool> watched;
  std::vector<change_filter> filters;
  std::vector<timestamp> lists;

private:
  void answer(std::function<void()> what) {
    if (holding)
      held_.push_back(std::move(what));
    else
      what();
  }

  std::deque<std::function<void()>> held_;
};

} // namespace signalbox
