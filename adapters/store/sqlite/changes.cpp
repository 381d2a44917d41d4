#include "adapters/store/sqlite/changes.hpp"

#include "adapters/store/sqlite/activities.hpp"
#include "adapters/store/sqlite/completion.hpp"
#include "adapters/store/sqlite/queries.hpp"

#include <sqlite3.h>

#include <algorithm>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace signalbox::sqlite {

namespace {

constexpr std::int64_t most_looked_at = 5'000;

std::vector<std::int64_t> take_from(std::unordered_set<std::int64_t>& rows, std::size_t limit) {
  std::vector<std::int64_t> taken;
  while (!rows.empty() && taken.size() < limit) {
    taken.push_back(*rows.begin());
    rows.erase(rows.begin());
  }
  return taken;
}

void add_job(connection& database, std::int64_t job, change_set& to) {
  auto found = database.query("SELECT " SIGNALBOX_JOB_COLUMNS " FROM jobs WHERE n = ?", job);
  if (!found.next())
    return;
  auto view = view_of(found);
  if (!view.completed_at)
    view.counts = sum_of_chunks(database, job);
  to.jobs.push_back(std::move(view));
}

void add_activity(connection& database, std::int64_t activity, timestamp now, change_set& to) {
  app_id app = default_app;
  std::string name;
  {
    auto found = database.query("SELECT app, name FROM activities WHERE id = ?", activity);
    if (!found.next())
      return;
    app = found.as<app_id>(0);
    name = found.text(1);
  }
  if (auto view = read_activity(database, app, name, now); view.ok())
    to.activities.push_back(std::move(view.value));
}

bool is_wanted(connection& database, std::int64_t job, const change_filter& filter) {
  auto found = database.query("SELECT id, total FROM jobs WHERE n = ?", job);
  if (!found.next())
    return false;
  return (filter.all && found.optional_integer(1) != 1) ||
         (filter.jobs && filter.jobs->contains(found.id(0)));
}

std::vector<std::int64_t> numbers(rows found) {
  std::vector<std::int64_t> all;
  while (found.next())
    all.push_back(found.integer(0));
  return all;
}

} // namespace

void change_notes::watch(bool on) {
  std::lock_guard lock{mutex_};
  watched_ = on;
  changed_ = {};
  lost_ = false;
}

change_notes::taken change_notes::take(std::size_t limit) {
  std::lock_guard lock{mutex_};
  taken some;
  some.jobs = take_from(changed_.jobs, limit);
  some.activities = take_from(changed_.activities, limit);
  some.more = !changed_.jobs.empty() || !changed_.activities.empty();
  some.lost = std::exchange(lost_, false);
  return some;
}

void change_notes::listen_to(connection& writer) {
  sqlite3_update_hook(writer.handle(), hear, this);
}

void change_notes::hear(void* self, int, const char*, const char* table, long long row) {
  auto& notes = *static_cast<change_notes*>(self);
  if (!notes.watched_)
    return;
  if (const std::string_view name{table}; name == "jobs")
    notes.changing_.jobs.insert(row);
  else if (name == "activities")
    notes.changing_.activities.insert(row);
}

void change_notes::note_job(std::int64_t job) {
  if (watched_)
    changing_.jobs.insert(job);
}

void change_notes::publish() {
  if (changing_.jobs.empty() && changing_.activities.empty())
    return;
  auto fresh = std::exchange(changing_, {});
  std::lock_guard lock{mutex_};
  if (!watched_)
    return;
  changed_.jobs.merge(fresh.jobs);
  changed_.activities.merge(fresh.activities);
  bound();
}

void change_notes::put_back(const taken& some) {
  std::lock_guard lock{mutex_};
  if (!watched_)
    return;
  changed_.jobs.insert(some.jobs.begin(), some.jobs.end());
  changed_.activities.insert(some.activities.begin(), some.activities.end());
  lost_ = lost_ || some.lost;
  bound();
}

void change_notes::bound() {
  if (changed_.jobs.size() > most || changed_.activities.size() > most) {
    changed_ = {};
    lost_ = true;
  }
}

change_set read_changes(connection& database, const change_notes::taken& taken,
                        const change_filter& filter, timestamp now) {
  change_set set;
  set.more = taken.more;
  set.lost = taken.lost;
  for (const auto job : taken.jobs)
    if (is_wanted(database, job, filter))
      add_job(database, job, set);
  for (const auto activity : taken.activities)
    add_activity(database, activity, now, set);
  return set;
}

change_set read_recent(connection& database, timestamp since, std::size_t limit, timestamp now) {
  auto jobs = numbers(database.query(
    "SELECT n FROM (SELECT n, total FROM jobs INDEXED BY jobs_open "
    "WHERE completed_at IS NULL LIMIT ?1) WHERE total IS NOT 1 UNION "
    "SELECT n FROM (SELECT n, total, completed_at FROM jobs ORDER BY n DESC LIMIT ?1) "
    "WHERE total IS NOT 1 AND (completed_at IS NULL OR completed_at >= ?2) "
    "ORDER BY n DESC LIMIT ?3",
    most_looked_at, since, limit));
  auto activities = numbers(
    database.query("SELECT id FROM (SELECT id, closed_at, status FROM activities ORDER BY id DESC "
                   "LIMIT ?1) WHERE status = 1 OR closed_at >= ?2 ORDER BY id DESC LIMIT ?3",
                   most_looked_at, since, limit));
  change_set set;
  for (const auto job : jobs)
    add_job(database, job, set);
  for (const auto activity : activities)
    add_activity(database, activity, now, set);
  return set;
}

} // namespace signalbox::sqlite
