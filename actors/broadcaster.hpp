#pragma once

#include "actors/bounded.hpp"
#include "actors/event_log.hpp"
#include "actors/lane_report.hpp"
#include "actors/ports/change_feed.hpp"
#include "actors/ports/clock.hpp"
#include "messages/protocol.hpp"

#include <caf/typed_event_based_actor.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

namespace signalbox {

/// How events look on the wire: an event's text without its id (SPEC 8).
struct event_texts {
  std::function<std::string(const job_view&)> job;
  std::function<std::string(const activity_view&)> activity;
  std::function<std::string(const lane_report&)> lane;
  std::string stop; ///< the last event of a node that stops
  std::string keep_alive;
};

struct broadcaster_options {
  std::string run; ///< of this start of the node: a part of all ids of events
  event_texts texts;
  std::chrono::milliseconds interval{500};
  std::chrono::milliseconds lane_interval{1'000};
  std::chrono::milliseconds keep_alive{15'000};
  std::chrono::minutes recent{10};  ///< what ended since then is told to who comes
  std::size_t most_recent = 1'000;  ///< of jobs, and of activities
  std::size_t most_changes = 1'000; ///< read from the store at a time
  std::size_t log_bytes = 1024 * 1024;
  std::size_t subscriber_bytes = 64 * 1024;
  std::size_t most_subscribers = 10'000;
  std::shared_ptr<subscription_counters> counters = std::make_shared<subscription_counters>();
};

/// What the node's boards say, for reports of its lanes. Outlive the actor.
struct broadcaster_ports {
  change_feed& changes;
  const wall_clock& clock;
  const stage_directory& stages;
  const lane_board& lanes;
  const breaker_board& breakers;
};

/// Tells those who watch of jobs, activities and lanes as they change: of each the latest state, at
/// most once an interval, but what ended at once. The store is asked, and only while somebody
/// watches; a hint only hastens that. Every event is made once for all subscribers, who take it as
/// fast as their clients do.
class broadcaster_actor : public bounded<broadcaster::base> {
public:
  broadcaster_actor(caf::actor_config& cfg, std::shared_ptr<mailbox_stats> mailbox,
                    broadcaster_ports ports, broadcaster_options options);

  behavior_type make_behavior() override;
  void on_exit() override;

private:
  struct watcher {
    watch_request request;
    std::shared_ptr<subscription> events;
    std::uint64_t since = 0; ///< the newest event when it came
  };
  using watchers = std::vector<std::shared_ptr<watcher>>;

  void open(watch_request& request);
  void begin_watching();
  void find_job(const std::shared_ptr<watcher>& who);
  void find_activity(const std::shared_ptr<watcher>& who);
  void serve(std::uint64_t asked, const changes_taken& answer);
  void begin(watcher& who, std::shared_ptr<const std::vector<live_event>> first);
  void refuse(watcher& who, errc code, const std::string& message);
  void list();
  void serve_all(const changes_taken& answer);
  void look();
  void take(const changes_taken& answer);
  void publish_due();
  void publish(const job_view& job);
  void publish(const activity_view& activity);
  void publish_lanes(boot_clock::duration elapsed);
  live_event event_of(const job_view& job) const;
  live_event event_of(const activity_view& activity) const;
  void beat();
  void keep_alive();
  void finish_all(const live_event* last);
  bool is_watched() const;
  change_filter filter() const;

  broadcaster_ports ports_;
  broadcaster_options options_;
  lane_reporter reporter_;
  event_log log_;
  watchers of_node_;
  std::unordered_map<job_id, watchers> of_jobs_;
  std::unordered_map<std::string, watchers> of_activities_;
  std::uint64_t asked_ = 0;
  std::map<std::uint64_t, std::shared_ptr<watcher>> asking_; ///< the store, for one thing
  watchers waiting_;                                         ///< for the list of all there is
  std::shared_ptr<const std::vector<live_event>> list_;
  std::uint64_t listed_at_ = 0; ///< the newest event when the store was asked for it
  bool listing_ = false;
  bool looking_ = false;
  bool look_again_ = false;
  std::map<job_id, job_view> due_jobs_; ///< with the next beat; what ended does not wait
  std::map<std::string, activity_view> due_activities_;
  bool publish_due_ = false;
  bool beating_ = false; ///< a timer is under way
  bool stopping_ = false;
  boot_clock::time_point lanes_at_;
  boot_clock::time_point kept_alive_at_;
};

} // namespace signalbox
