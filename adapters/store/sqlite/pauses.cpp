#include "adapters/store/sqlite/pauses.hpp"

#include "adapters/store/sqlite/connection.hpp"

#include <algorithm>
#include <utility>

namespace signalbox::sqlite {

namespace {

template <class T>
bool fits(const std::optional<T>& wanted, const T& value) {
  return !wanted || *wanted == value;
}

bool fits(const std::string& wanted, const std::string& value) {
  return wanted.empty() || wanted == value;
}

} // namespace

bool names_nothing(const work_rule& rule) {
  return rule == work_rule{};
}

bool is_about_jobs(const work_rule& rule) {
  return rule.job || !rule.topic.empty() || !rule.user.empty();
}

bool fits(const work_rule& rule, const job_traits& job) {
  return fits(rule.app, job.app) && fits(rule.lane, job.lane) && fits(rule.job, job.id) &&
         (rule.topic.empty() || (job.scope == scope_kind::topic && rule.topic == job.scope_name)) &&
         (rule.user.empty() || (job.scope == scope_kind::user && rule.user == job.scope_name));
}

bool fits(const work_rule& rule, pool_code pool) {
  const auto dest = destination_of(default_app, pool);
  return fits(rule.provider, dest.provider) && fits(rule.env, dest.env);
}

bool pause_list::covers(const std::string& lane, app_id app, pool_code pool) const {
  if (is_empty())
    return false;
  const auto pauses = get();
  return std::any_of(pauses->begin(), pauses->end(), [&](const auto& pause) {
    return !is_about_jobs(pause.rule) && fits(pause.rule.app, app) && fits(pause.rule.lane, lane) &&
           sqlite::fits(pause.rule, pool);
  });
}

bool pause_list::covers(const job_traits& job, std::optional<pool_code> pool) const {
  if (is_empty())
    return false;
  const auto pauses = get();
  return std::any_of(pauses->begin(), pauses->end(), [&](const auto& pause) {
    return sqlite::fits(pause.rule, job) && (!pool || sqlite::fits(pause.rule, *pool));
  });
}

std::vector<pause_view> pause_list::list() const {
  return *get();
}

void pause_list::set(std::vector<pause_view> pauses) {
  auto made = std::make_shared<const std::vector<pause_view>>(std::move(pauses));
  std::lock_guard lock{mutex_};
  has_any_ = !made->empty();
  has_any_of_jobs_ = std::any_of(made->begin(), made->end(),
                                 [](const auto& pause) { return is_about_jobs(pause.rule); });
  pauses_ = std::move(made);
}

std::shared_ptr<const std::vector<pause_view>> pause_list::get() const {
  std::lock_guard lock{mutex_};
  return pauses_;
}

std::vector<pause_view> read_pauses(connection& database) {
  std::vector<pause_view> pauses;
  auto found = database.query("SELECT id, app, lane, topic, user, job, provider, environment, "
                              "reason, created_at FROM pauses ORDER BY id");
  while (found.next()) {
    pause_view pause;
    pause.id = found.integer(0);
    pause.rule.app = found.optional_integer(1);
    pause.rule.lane = found.text(2);
    pause.rule.topic = found.text(3);
    pause.rule.user = found.text(4);
    if (!found.is_null(5))
      pause.rule.job = found.id(5);
    if (!found.is_null(6))
      pause.rule.provider = found.as<platform>(6);
    if (!found.is_null(7))
      pause.rule.env = found.as<environment>(7);
    pause.reason = found.text(8);
    pause.created_at = found.time(9);
    pauses.push_back(std::move(pause));
  }
  return pauses;
}

pause_view insert_pause(connection& database, work_rule rule, std::string reason, timestamp now) {
  database.execute("INSERT INTO pauses(app, lane, topic, user, job, provider, environment, reason, "
                   "created_at) VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?)",
                   rule.app, rule.lane, rule.topic, rule.user, rule.job, rule.provider, rule.env,
                   reason, now);
  return {database.last_insert_id(), std::move(rule), std::move(reason), now};
}

bool delete_pause(connection& database, std::int64_t id) {
  return database.execute("DELETE FROM pauses WHERE id = ?", id) > 0;
}

} // namespace signalbox::sqlite
