#include "adapters/store/sqlite/activities.hpp"

#include "actors/job_states.hpp"
#include "adapters/store/sqlite/activity_tokens.hpp"
#include "adapters/store/sqlite/directory_rows.hpp"
#include "adapters/store/sqlite/paging.hpp"
#include "adapters/store/sqlite/queries.hpp"
#include "adapters/store/sqlite/states.hpp"
#include "messages/payload_limits.hpp"

#include <algorithm>
#include <utility>
#include <vector>

namespace signalbox::sqlite {

namespace {

struct activity_row {
  activity_number id = 0;
  std::string name;
  activity_status status = activity_status::active;
  std::int64_t seq = 0;
  std::int64_t timestamp_s = 0;
  std::string content_state;
  std::optional<job_number> end_job;
  timestamp expires_at;
  bool has_channel = false;
};

#define SIGNALBOX_ACTIVITY_COLUMNS                                                                 \
  "id, name, status, seq, timestamp, content_state, end_job, expires_at, channel <> ''"

std::optional<activity_row> next_row(rows& found) {
  if (!found.next())
    return std::nullopt;
  return activity_row{found.integer(0),
                      std::string{found.text(1)},
                      found.as<activity_status>(2),
                      found.integer(3),
                      found.integer(4),
                      std::string{found.text(5)},
                      found.optional_integer(6),
                      found.time(7),
                      found.integer(8) != 0};
}

std::int64_t seconds_of(timestamp time) {
  return std::chrono::floor<std::chrono::seconds>(time).time_since_epoch().count();
}

accepted_request refused(errc code, std::string message) {
  accepted_request answer;
  answer.code = code;
  answer.message = std::move(message);
  return answer;
}

class acceptor {
public:
  acceptor(connection& database, const new_job& job, job_number n, timestamp now)
    : database_{database}, job_{job}, asked_{*job.activity}, n_{n}, now_{now} {}

  accepted_request accept() {
    if (asked_.action == activity_action::start)
      return start();
    const auto known = find();
    if (!known)
      return missing();
    return asked_.action == activity_action::update ? update(*known) : end(*known);
  }

private:
  accepted_request start() {
    if (database_.value("SELECT 1 FROM activities WHERE app = ? AND name = ?", job_.app,
                        asked_.activity))
      return nothing_made(asked_.activity, activity_reply::already_started);
    const auto scope = scope_row();
    if (!scope)
      return refused(errc::not_found, (job_.scope.kind == scope_kind::user ? "user '" : "topic '") +
                                        job_.scope.name + "' does not exist");
    close_others(*scope);
    const auto expires_at =
      std::min(asked_.expires_at.value_or(timestamp::max()), now_ + longest_activity);
    if (!asked_.channel.empty())
      put_channel(database_, job_.app, asked_.channel, asked_.channel_env, now_, expires_at);
    database_.execute(
      "INSERT INTO activities(app, name, type, scope_kind, scope_id, scope_name, channel, "
      "channel_environment, status, seq, timestamp, content_state, start_job, pending_until, "
      "expires_at, created_at) VALUES(?, ?, ?, ?, ?, ?, ?, ?, 1, 1, ?, ?, ?, ?, ?, ?)",
      job_.app, asked_.activity, asked_.type, job_.scope.kind, *scope, job_.scope.name,
      asked_.channel, asked_.channel_env, timestamp_s(), asked_.content_state, n_,
      now_ + longest_start, expires_at, now_);
    return made(asked_.activity, activity_reply::started, database_.last_insert_id(), expires_at);
  }

  // Of the same type and scope only one is active.
  void close_others(std::int64_t scope) {
    std::vector<activity_number> others;
    {
      auto found = database_.query("SELECT id FROM activities INDEXED BY activities_active "
                                   "WHERE status = 1 AND app = ? AND scope_kind = ? "
                                   "AND scope_id = ? AND type = ?",
                                   job_.app, job_.scope.kind, scope, asked_.type);
      while (found.next())
        others.push_back(found.integer(0));
    }
    for (const auto other : others)
      database_.execute("UPDATE activities SET status = ?, closed_at = ? WHERE id = ?",
                        activity_status::closed, now_, other);
  }

  accepted_request update(const activity_row& known) {
    if (!is_live(known) || has_end(known))
      return missing();
    if (auto detail = too_large(known))
      return refused(errc::invalid, std::move(*detail));
    return next(known, activity_reply::updated);
  }

  accepted_request end(const activity_row& known) {
    if (!is_live(known) || has_end(known))
      return nothing_made(known.name, activity_reply::closed);
    if (auto detail = too_large(known))
      return refused(errc::invalid, std::move(*detail));
    database_.execute("UPDATE activities SET end_job = ? WHERE id = ?", n_, known.id);
    return next(known, activity_reply::ended);
  }

  // The limit is known with the activity, and so is the content-state that an end takes over.
  std::optional<std::string> too_large(const activity_row& known) const {
    constexpr std::string_view member_name = R"("content-state":,)";
    const bool takes_last = asked_.content_state.empty() && !known.content_state.empty();
    const auto size =
      asked_.apns_bytes + (takes_last ? member_name.size() + known.content_state.size() : 0);
    const auto limit = known.has_channel ? apns_broadcast_limit_bytes : apns_payload_limit_bytes;
    if (size <= limit)
      return std::nullopt;
    return "the APNs payload is " + std::to_string(size) + " bytes" +
           (takes_last ? " with the last content-state" : "") + ", and the limit is " +
           std::to_string(limit);
  }

  // Numbers are of the row and never of a clock; the timestamp never decreases.
  accepted_request next(const activity_row& known, activity_reply reply) {
    database_.execute("UPDATE activities SET seq = ?, timestamp = ?, content_state = ? "
                      "WHERE id = ?",
                      known.seq + 1, std::max(known.timestamp_s, timestamp_s()),
                      asked_.content_state.empty() ? known.content_state : asked_.content_state,
                      known.id);
    return made(known.name, reply, known.id, known.expires_at);
  }

  std::int64_t timestamp_s() const { return asked_.timestamp_s.value_or(seconds_of(now_)); }

  bool is_live(const activity_row& known) const {
    return known.status == activity_status::active && known.expires_at > now_;
  }

  // An end that failed or was cancelled ends nothing.
  bool has_end(const activity_row& known) {
    if (!known.end_job)
      return false;
    const auto status = static_cast<job_status>(
      database_.value("SELECT status FROM jobs WHERE n = ?", *known.end_job).value_or(0));
    return status != job_status::failed && status != job_status::cancelled;
  }

  std::optional<activity_row> find() {
    if (!asked_.activity.empty()) {
      auto found = database_.query("SELECT " SIGNALBOX_ACTIVITY_COLUMNS
                                   " FROM activities WHERE app = ? AND name = ?",
                                   job_.app, asked_.activity);
      return next_row(found);
    }
    const auto scope = scope_row();
    if (!scope)
      return std::nullopt;
    auto found =
      database_.query("SELECT " SIGNALBOX_ACTIVITY_COLUMNS
                      " FROM activities INDEXED BY activities_active WHERE status = 1 AND app = ? "
                      "AND scope_kind = ? AND scope_id = ? AND type = ? ORDER BY id DESC LIMIT 1",
                      job_.app, job_.scope.kind, *scope, asked_.type);
    return next_row(found);
  }

  std::optional<std::int64_t> scope_row() {
    return job_.scope.kind == scope_kind::user ? find_user(database_, job_.app, job_.scope.name)
                                               : find_topic(database_, job_.app, job_.scope.name);
  }

  accepted_request missing() const {
    return refused(errc::not_found,
                   asked_.activity.empty()
                     ? "no active activity of type '" + asked_.type + "' for '" + job_.scope.name +
                         "'"
                     : "activity '" + asked_.activity + "' does not exist or is not active");
  }

  accepted_request nothing_made(const std::string& name, activity_reply reply) const {
    accepted_request answer;
    answer.answer = {name, reply, std::nullopt};
    return answer;
  }

  accepted_request made(const std::string& name, activity_reply reply, activity_number activity,
                        timestamp expires_at) const {
    accepted_request answer;
    answer.answer = {name, reply, job_.id};
    answer.activity = activity;
    answer.expires_at = expires_at;
    return answer;
  }

  connection& database_;
  const new_job& job_;
  const activity_request& asked_;
  job_number n_;
  timestamp now_;
};

} // namespace

accepted_request accept_request(connection& database, const new_job& job, job_number n,
                                timestamp now) {
  return acceptor{database, job, n, now}.accept();
}

void insert_dispatch(connection& database, const accepted_request& accepted, const new_job& job,
                     job_number n) {
  database.execute("INSERT INTO activity_dispatches(activity, seq, job, action, timestamp, "
                   "content_state) SELECT id, seq, ?, ?, timestamp, "
                   "CASE WHEN ?3 THEN content_state ELSE '' END FROM activities WHERE id = ?",
                   n, job.activity->action,
                   !job.activity->content_state.empty() ||
                     job.activity->action == activity_action::end,
                   accepted.activity);
}

void finish_dispatch(connection& database, job_number job, job_status status, timestamp now) {
  activity_number activity = 0;
  activity_action action{};
  {
    auto found =
      database.query("SELECT activity, action FROM activity_dispatches WHERE job = ?", job);
    if (!found.next())
      return;
    activity = found.integer(0);
    action = found.as<activity_action>(1);
  }
  database.execute("UPDATE activity_dispatches SET open = 0 WHERE job = ?", job);
  const bool is_over = status == job_status::completed || status == job_status::expired;
  if (action == activity_action::end && is_over)
    database.execute("UPDATE activities SET status = ?, closed_at = ? WHERE id = ? AND status = 1",
                     activity_status::closed, now, activity);
  if (action == activity_action::start && status == job_status::completed)
    database.execute("UPDATE activities SET status = ?, closed_at = ? WHERE id = ? AND status = 1 "
                     "AND (SELECT total FROM jobs WHERE n = ?) = 0",
                     activity_status::failed, now, activity, job);
}

activity_event read_event(connection& database, job_number job) {
  auto found = database.query(
    "SELECT d.action, a.name, a.type, d.seq, d.timestamp, d.content_state, a.channel "
    "FROM activity_dispatches d CROSS JOIN activities a ON a.id = d.activity WHERE d.job = ?",
    job);
  if (!found.next())
    throw failure{0, "a dispatch without its activity"};
  return {found.as<activity_action>(0),
          std::string{found.text(1)},
          std::string{found.text(2)},
          found.integer(3),
          found.integer(4),
          std::string{found.text(5)},
          std::string{found.text(6)}};
}

std::size_t expire_activities(connection& database, timestamp now, std::size_t limit) {
  return static_cast<std::size_t>(database.execute(
    "UPDATE activities SET status = ?1, closed_at = ?2 WHERE id IN (SELECT id FROM activities "
    "INDEXED BY activities_by_expiry WHERE status = 1 AND expires_at <= ?2 LIMIT ?3)",
    activity_status::expired, now, limit));
}

void delete_old_activities(connection& database, timestamp closed_before, std::size_t limit) {
  struct old_activity {
    activity_number id;
    app_id app;
    std::string name;
  };
  std::vector<old_activity> old;
  {
    auto found = database.query("SELECT id, app, name FROM activities INDEXED BY "
                                "activities_closed WHERE status > 1 AND closed_at <= ? LIMIT ?",
                                closed_before, limit);
    while (found.next())
      old.push_back({found.integer(0), found.integer(1), std::string{found.text(2)}});
  }
  for (const auto& one : old) {
    if (database.value("SELECT 1 FROM activity_dispatches WHERE activity = ? LIMIT 1", one.id))
      continue; // its jobs are kept longer
    if (database.execute("DELETE FROM activity_bindings WHERE app = ?1 AND activity = ?2 "
                         "AND (pool, token) IN (SELECT pool, token FROM activity_bindings "
                         "WHERE app = ?1 AND activity = ?2 LIMIT ?3)",
                         one.app, one.name, limit) > 0)
      return; // the rest in the next pass
    database.execute("DELETE FROM activity_turns WHERE activity = ?", one.id);
    database.execute("DELETE FROM activities WHERE id = ?", one.id);
  }
}

result<activity_view> read_activity(connection& database, app_id app, const std::string& name,
                                    timestamp now) {
  auto found = database.query(
    "SELECT name, type, scope_kind, scope_name, channel, status, seq, content_state, created_at, "
    "expires_at, closed_at, pending_until > ? AND EXISTS(SELECT 1 FROM jobs WHERE n = start_job "
    "AND completed_at IS NULL) FROM activities WHERE app = ? AND name = ?",
    now, app, name);
  if (!found.next())
    return result<activity_view>::failure(errc::not_found,
                                          "activity '" + name + "' does not exist");
  activity_view view;
  view.id = found.text(0);
  view.type = found.text(1);
  view.scope = found.as<scope_kind>(2);
  view.scope_name = found.text(3);
  view.channel = found.text(4);
  view.status = found.as<activity_status>(5);
  view.seq = found.integer(6);
  view.content_state = found.text(7);
  view.created_at = found.time(8);
  view.expires_at = found.time(9);
  view.closed_at = found.optional_time(10);
  view.starting = found.integer(11) != 0;
  if (view.status == activity_status::active && view.expires_at <= now)
    view.status = activity_status::expired;
  return result<activity_view>::success(std::move(view));
}

result<page_of<dispatch_view>> read_dispatches(connection& database, app_id app,
                                               const std::string& name, const page_request& page) {
  using answer = result<page_of<dispatch_view>>;
  const auto activity =
    database.value("SELECT id FROM activities WHERE app = ? AND name = ?", app, name);
  if (!activity)
    return answer::failure(errc::not_found, "activity '" + name + "' does not exist");
  std::vector<std::pair<dispatch_view, job_id>> list;
  std::int64_t last = 0;
  bool has_more = false;
  {
    auto found = database.query(
      "SELECT d.seq, d.action, j.id FROM activity_dispatches d CROSS JOIN jobs j ON j.n = d.job "
      "WHERE d.activity = ? AND d.seq < ? ORDER BY d.seq DESC LIMIT ?",
      *activity, number_after(page, std::numeric_limits<std::int64_t>::max()), page.limit + 1);
    while (found.next()) {
      if (list.size() == page.limit) {
        has_more = true;
        break;
      }
      last = found.integer(0);
      list.push_back({{last, found.as<activity_action>(1), {}}, found.id(2)});
    }
  }
  page_of<dispatch_view> views;
  for (auto& [view, id] : list) {
    view.job = read_job(database, app, id).value;
    views.items.push_back(std::move(view));
  }
  if (has_more)
    views.next = std::to_string(last);
  return answer::success(std::move(views));
}

} // namespace signalbox::sqlite
