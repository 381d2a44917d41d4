#include "actors/broadcaster.hpp"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <iterator>
#include <unordered_set>
#include <utility>

namespace signalbox {

namespace {

std::string about_job(const job_id& id) {
  return "job/" + id.to_string();
}

std::shared_ptr<const std::string> shared(std::string text) {
  return std::make_shared<const std::string>(std::move(text));
}

template <class T>
changes_taken taken(result<T> answer, std::vector<T> change_set::*where) {
  auto set = std::make_shared<change_set>();
  if (answer.ok())
    ((*set).*where).push_back(std::move(answer.value));
  return {answer.code, std::move(answer.message), std::move(set)};
}

changes_taken taken(result<change_set> answer) {
  return {answer.code, std::move(answer.message),
          std::make_shared<const change_set>(std::move(answer.value))};
}

template <class Watchers>
void push_to(Watchers& all, const live_event& event) {
  std::erase_if(all, [&](const auto& each) { return !each->events->push(event); });
}

} // namespace

broadcaster_actor::broadcaster_actor(caf::actor_config& cfg, std::shared_ptr<mailbox_stats> mailbox,
                                     broadcaster_ports ports, broadcaster_options options)
  : bounded(cfg, std::move(mailbox)), ports_(ports), options_(std::move(options)),
    reporter_(ports_.stages, ports_.lanes, ports_.breakers),
    log_(options_.run, options_.log_bytes) {}

broadcaster_actor::behavior_type broadcaster_actor::make_behavior() {
  return {
    [this](watch_request& request) { open(request); },
    [this](const work_hint&) {
      if (is_watched())
        look();
    },
    [this](const changes_taken& answer) { take(answer); },
    [this](const recent_listed& listed) { serve_all(listed.answer); },
    [this](const watched_found& found) { serve(found.watcher, found.answer); },
    [this](const tick&) { beat(); },
    [this](const drain&) {
      stopping_ = true;
      const live_event last{{}, true, false, shared(options_.texts.stop)};
      finish_all(&last);
      return drained{};
    },
  };
}

// Who watches comes again, and hears from the successor.
void broadcaster_actor::on_exit() {
  finish_all(nullptr);
}

bool broadcaster_actor::is_watched() const {
  return !of_node_.empty() || !of_jobs_.empty() || !of_activities_.empty();
}

void broadcaster_actor::open(watch_request& request) {
  if (stopping_)
    return request.reply->refused(errc::stopping, "the node stops");
  if (options_.counters->open >= static_cast<std::int64_t>(options_.most_subscribers))
    return request.reply->refused(errc::busy, "as many watch as may: " +
                                                std::to_string(options_.most_subscribers));
  const bool had_all = (request.scope == watch_scope::job &&
                        log_.was_final(request.last_event, about_job(request.job))) ||
                       (request.scope == watch_scope::activity &&
                        log_.was_final(request.last_event, "activity/" + request.activity));
  if (had_all)
    return request.reply->nothing_more();
  begin_watching();
  auto who = std::make_shared<watcher>();
  who->request = std::move(request);
  who->events = std::make_shared<subscription>(options_.subscriber_bytes, options_.counters);
  who->since = log_.last();
  switch (who->request.scope) {
  case watch_scope::job:
    return find_job(who);
  case watch_scope::activity:
    return find_activity(who);
  case watch_scope::node:
    of_node_.push_back(who);
    if (auto missed = log_.since(who->request.last_event))
      return begin(*who, std::make_shared<const std::vector<live_event>>(std::move(*missed)));
    waiting_.push_back(who);
    list();
  }
}

void broadcaster_actor::begin_watching() {
  if (!is_watched())
    ports_.changes.watch(true);
  if (std::exchange(beating_, true))
    return;
  const auto now = ports_.clock.boot_now();
  kept_alive_at_ = lanes_at_ = now;
  reporter_.report({});
  delayed_send<caf::message_priority::high>(broadcaster{this}, options_.interval, tick{});
}

// It hears of changes before the store is asked, so that it misses none.
void broadcaster_actor::find_job(const std::shared_ptr<watcher>& who) {
  of_jobs_[who->request.job].push_back(who);
  asking_[++asked_] = who;
  ports_.changes.get_job(
    who->request.app, who->request.job,
    [self = broadcaster{this}, asked = asked_](result<job_view> found) {
      anon_send_urgent(self, watched_found{asked, taken(std::move(found), &change_set::jobs)});
    });
}

void broadcaster_actor::find_activity(const std::shared_ptr<watcher>& who) {
  of_activities_[who->request.activity].push_back(who);
  asking_[++asked_] = who;
  ports_.changes.get_activity(
    who->request.app, who->request.activity,
    [self = broadcaster{this}, asked = asked_](result<activity_view> found) {
      anon_send_urgent(self,
                       watched_found{asked, taken(std::move(found), &change_set::activities)});
    });
}

void broadcaster_actor::serve(std::uint64_t asked, const changes_taken& answer) {
  const auto found = asking_.extract(asked);
  if (found.empty())
    return; // the node stops
  auto& who = *found.mapped();
  if (answer.code != errc::ok)
    return refuse(who, answer.code, answer.message);
  const auto event = answer.set->jobs.empty() ? event_of(answer.set->activities.front())
                                              : event_of(answer.set->jobs.front());
  if (event.final) {
    // Its number tells, when the subscriber comes again, that it has had the last event.
    answer.set->jobs.empty() ? publish(answer.set->activities.front())
                             : publish(answer.set->jobs.front());
    if (const auto last = log_.newest(event.about))
      who.events->push(*last);
    who.events->finish();
    return begin(who, nullptr);
  }
  begin(who, std::make_shared<const std::vector<live_event>>(
               std::vector{log_.with_id(event, who.since)}));
}

void broadcaster_actor::begin(watcher& who, std::shared_ptr<const std::vector<live_event>> first) {
  who.events->begin_with(std::move(first));
  std::exchange(who.request.reply, nullptr)->opened(who.events);
}

void broadcaster_actor::refuse(watcher& who, errc code, const std::string& message) {
  who.events->close();
  std::exchange(who.request.reply, nullptr)->refused(code, message);
}

void broadcaster_actor::list() {
  if (listing_ || waiting_.empty())
    return;
  if (list_ && listed_at_ == log_.last()) { // nothing has happened since
    for (auto& who : std::exchange(waiting_, {}))
      begin(*who, list_);
    return;
  }
  listing_ = true;
  listed_at_ = log_.last();
  ports_.changes.list_recent(ports_.clock.now() - options_.recent, options_.most_recent,
                             [self = broadcaster{this}](result<change_set> recent) {
                               anon_send_urgent(self, recent_listed{taken(std::move(recent))});
                             });
}

void broadcaster_actor::serve_all(const changes_taken& answer) {
  listing_ = false;
  auto waiting = std::exchange(waiting_, {});
  if (answer.code != errc::ok) {
    list_ = nullptr;
    for (auto& who : waiting)
      refuse(*who, answer.code, answer.message);
    return;
  }
  auto all = std::make_shared<std::vector<live_event>>();
  const auto& [jobs, activities, more, lost] = *answer.set;
  for (auto each = activities.rbegin(); each != activities.rend(); ++each)
    all->push_back(log_.with_id(event_of(*each), listed_at_));
  for (auto each = jobs.rbegin(); each != jobs.rend(); ++each)
    all->push_back(log_.with_id(event_of(*each), listed_at_));
  list_ = std::move(all);
  for (auto& who : waiting)
    if (who->since <= listed_at_)
      begin(*who, list_);
    else // it may have missed what happened after the store was asked
      waiting_.push_back(std::move(who));
  list();
}

change_filter broadcaster_actor::filter() const {
  auto jobs = std::make_shared<std::unordered_set<job_id>>();
  for (const auto& [job, who] : of_jobs_)
    jobs->insert(job);
  return {!of_node_.empty() || !of_activities_.empty(), std::move(jobs)};
}

void broadcaster_actor::look() {
  if (looking_) {
    look_again_ = true;
    return;
  }
  looking_ = true;
  look_again_ = false;
  ports_.changes.take_changes(filter(), options_.most_changes,
                              [self = broadcaster{this}](result<change_set> changed) {
                                anon_send_urgent(self, taken(std::move(changed)));
                              });
}

void broadcaster_actor::take(const changes_taken& answer) {
  looking_ = false;
  if (stopping_)
    return;
  if (answer.code != errc::ok) {
    spdlog::warn("event=changes_not_read code={} error={:?}", to_string(answer.code),
                 answer.message);
    return; // the next beat asks again
  }
  if (answer.set->lost)
    return finish_all(nullptr); // all come again, and get what there is
  for (const auto& job : answer.set->jobs)
    job.completed_at ? publish(job) : void(due_jobs_.insert_or_assign(job.id, job));
  for (const auto& activity : answer.set->activities)
    due_activities_.insert_or_assign(activity.id, activity);
  if (answer.set->more || look_again_)
    return look();
  if (std::exchange(publish_due_, false))
    publish_due();
}

void broadcaster_actor::publish_due() {
  for (const auto& [id, job] : std::exchange(due_jobs_, {}))
    publish(job);
  for (const auto& [id, activity] : std::exchange(due_activities_, {}))
    publish(activity);
}

live_event broadcaster_actor::event_of(const job_view& job) const {
  return {about_job(job.id), job.completed_at.has_value(), job.total == 1,
          shared(options_.texts.job(job))};
}

live_event broadcaster_actor::event_of(const activity_view& activity) const {
  return {"activity/" + activity.id, activity.status != activity_status::active, false,
          shared(options_.texts.activity(activity))};
}

void broadcaster_actor::publish(const job_view& job) {
  due_jobs_.erase(job.id);
  const auto event = log_.append(event_of(job));
  if (!event)
    return;
  if (const auto found = of_jobs_.find(job.id); found != of_jobs_.end()) {
    push_to(found->second, *event);
    if (event->final) {
      const auto ended = of_jobs_.extract(found);
      for (const auto& who : ended.mapped())
        who->events->finish();
    }
  }
  if (job.scope == scope_kind::activity)
    if (const auto found = of_activities_.find(job.scope_name); found != of_activities_.end())
      push_to(found->second, *event);
  if (!event->narrow)
    push_to(of_node_, *event);
}

void broadcaster_actor::publish(const activity_view& activity) {
  const auto event = log_.append(event_of(activity));
  if (!event)
    return;
  if (const auto found = of_activities_.find(activity.id); found != of_activities_.end()) {
    push_to(found->second, *event);
    if (event->final) {
      const auto ended = of_activities_.extract(found);
      for (const auto& who : ended.mapped())
        who->events->finish();
    }
  }
  push_to(of_node_, *event);
}

void broadcaster_actor::publish_lanes(boot_clock::duration elapsed) {
  for (const auto& report : reporter_.report(elapsed))
    if (const auto event = log_.append(
          {.about = "lane/" + report.lane, .text = shared(options_.texts.lane(report))}))
      push_to(of_node_, *event);
}

void broadcaster_actor::beat() {
  const auto now = ports_.clock.boot_now();
  if (now - kept_alive_at_ >= options_.keep_alive) {
    kept_alive_at_ = now;
    keep_alive();
  }
  if (!is_watched()) {
    beating_ = false;
    list_ = nullptr;
    due_jobs_.clear();
    due_activities_.clear();
    ports_.changes.watch(false);
    return;
  }
  delayed_send<caf::message_priority::high>(broadcaster{this}, options_.interval, tick{});
  publish_due_ = true;
  look();
  if (now - lanes_at_ >= options_.lane_interval)
    publish_lanes(now - std::exchange(lanes_at_, now));
}

// Also finds those who are gone.
void broadcaster_actor::keep_alive() {
  const auto text = shared(options_.texts.keep_alive);
  const auto among = [&](watchers& all) {
    std::erase_if(all, [&](const auto& each) { return !each->events->keep_alive(text); });
    return all.empty();
  };
  among(of_node_);
  for (auto each = of_jobs_.begin(); each != of_jobs_.end();)
    each = among(each->second) ? of_jobs_.erase(each) : std::next(each);
  for (auto each = of_activities_.begin(); each != of_activities_.end();)
    each = among(each->second) ? of_activities_.erase(each) : std::next(each);
}

void broadcaster_actor::finish_all(const live_event* last) {
  const auto finish = [&](const watchers& all) {
    for (const auto& who : all) {
      if (last)
        who->events->push(*last);
      who->events->finish();
    }
  };
  finish(std::exchange(of_node_, {}));
  for (const auto& [job, who] : std::exchange(of_jobs_, {}))
    finish(who);
  for (const auto& [activity, who] : std::exchange(of_activities_, {}))
    finish(who);
  for (const auto& [asked, who] : std::exchange(asking_, {}))
    refuse(*who, errc::stopping, "the node stops");
  for (const auto& who : std::exchange(waiting_, {}))
    refuse(*who, errc::stopping, "the node stops");
}

} // namespace signalbox
