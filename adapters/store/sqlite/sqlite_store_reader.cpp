// The job_reader side of sqlite_store.

#include "adapters/store/sqlite/changes.hpp"
#include "adapters/store/sqlite/completion.hpp"
#include "adapters/store/sqlite/engine.hpp"
#include "adapters/store/sqlite/job_list.hpp"
#include "adapters/store/sqlite/queries.hpp"
#include "adapters/store/sqlite/states.hpp"

#include <utility>

namespace signalbox {

using sqlite::connection;
using sqlite::durability;
using sqlite::read_class;
using sqlite::write_class;

namespace {

void note_pause(const sqlite::pause_list& pauses, app_id app, job_view& job) {
  job.paused = !is_terminal(job.status) &&
               pauses.covers({job.id, app, job.lane, job.scope, job.scope_name}, std::nullopt);
}

struct cancelled_job {
  sqlite::job_number job = 0;
  bool more = false;
  job_view view;
};

result<cancelled_job> cancel(connection& database, const sqlite::retry_leases& leases, app_id app,
                             const job_id& id, timestamp now) {
  using answer = result<cancelled_job>;
  cancelled_job cancelled;
  auto status = job_status::queued;
  {
    auto found = database.query("SELECT n, status FROM jobs WHERE id = ? AND app = ?", id, app);
    if (!found.next())
      return answer::failure(errc::not_found, "job " + id.to_string() + " does not exist");
    cancelled.job = found.integer(0);
    status = found.as<job_status>(1);
  }
  switch (sqlite::end_job(database, cancelled.job, status, job_status::cancelled)) {
  case transition::refused:
    return answer::failure(errc::conflict,
                           "the job is " + std::string{to_string(status)} + " already");
  case transition::apply:
    cancelled.more = sqlite::close_slice(database, leases, cancelled.job, now).more;
    break;
  case transition::no_op:
    break;
  }
  auto view = sqlite::read_view(database, app, id);
  if (!view.ok())
    return answer::failure(view.code, std::move(view.message));
  cancelled.view = std::move(view.value);
  return answer::success(std::move(cancelled));
}

} // namespace

void sqlite_store::get_job(app_id app, job_id id, callback<job_view> done) {
  if (done = engine_->admit(std::move(done)); done)
    engine_->read<job_view>(read_class::lookups, std::move(done), [=, this](connection& database) {
      auto read = sqlite::read_job(database, app, id);
      note_pause(engine_->shared().pauses, app, read.value);
      return read;
    });
}

void sqlite_store::list_receipts(app_id app, job_id id, page_request page,
                                 callback<page_of<receipt_view>> done) {
  if (done = engine_->admit(std::move(done)); done)
    engine_->read<page_of<receipt_view>>(
      read_class::queries, std::move(done),
      [=](connection& database) { return sqlite::read_receipts(database, app, id, page); });
}

void sqlite_store::count_reasons(app_id app, job_id id, callback<std::vector<reason_count>> done) {
  if (done = engine_->admit(std::move(done)); done)
    engine_->read<std::vector<reason_count>>(
      read_class::lookups, std::move(done),
      [=](connection& database) { return sqlite::read_reasons(database, app, id); });
}

void sqlite_store::list_jobs(app_id app, job_query query, page_request page,
                             callback<page_of<job_view>> done) {
  if (done = engine_->admit(std::move(done)); done)
    engine_->read<page_of<job_view>>(read_class::queries, std::move(done),
                                     [=, this](connection& database) {
                                       auto read = sqlite::read_jobs(database, app, query, page);
                                       for (auto& job : read.value.items)
                                         note_pause(engine_->shared().pauses, app, job);
                                       return read;
                                     });
}

void sqlite_store::cancel_job(app_id app, job_id id, callback<job_view> done) {
  done = engine_->admit(std::move(done));
  if (!done)
    return;
  auto answer = [this, done](result<cancelled_job> cancelled) {
    if (cancelled.ok() && cancelled.value.more)
      engine_->close_job(cancelled.value.job);
    done({cancelled.code, std::move(cancelled.message), std::move(cancelled.value.view)});
  };
  engine_->write<cancelled_job>(
    write_class::lanes, durability::full, std::move(answer), [this, app, id](connection& database) {
      return cancel(database, engine_->shared().retry_leases, app, id, engine_->shared().now());
    });
}

void sqlite_store::count_open_jobs(callback<std::vector<lane_jobs>> done) {
  if (done = engine_->admit(std::move(done)); done)
    engine_->read<std::vector<lane_jobs>>(
      read_class::lanes, std::move(done),
      [](connection& database) { return sqlite::count_open_jobs(database); });
}

void sqlite_store::watch(bool on) {
  engine_->shared().changes.watch(on);
}

void sqlite_store::take_changes(change_filter filter, std::size_t limit,
                                callback<change_set> done) {
  done = engine_->admit(std::move(done));
  if (!done)
    return;
  // Taken once, however often the read has to begin anew.
  auto taken =
    std::make_shared<const sqlite::change_notes::taken>(engine_->shared().changes.take(limit));
  auto answer = [this, taken, done = std::move(done)](result<change_set> changed) {
    if (!changed.ok())
      engine_->shared().changes.put_back(*taken);
    done(std::move(changed));
  };
  engine_->read<change_set>(read_class::lookups, std::move(answer),
                            [this, filter = std::move(filter), taken](connection& database) {
                              auto set = sqlite::read_changes(database, *taken, filter,
                                                              engine_->shared().now());
                              for (auto& job : set.jobs)
                                note_pause(engine_->shared().pauses, default_app, job);
                              return result<change_set>::success(std::move(set));
                            });
}

void sqlite_store::list_recent(timestamp since, std::size_t limit, callback<change_set> done) {
  if (done = engine_->admit(std::move(done)); done)
    engine_->read<change_set>(
      read_class::queries, std::move(done), [=, this](connection& database) {
        auto set = sqlite::read_recent(database, since, limit, engine_->shared().now());
        for (auto& job : set.jobs)
          note_pause(engine_->shared().pauses, default_app, job);
        return result<change_set>::success(std::move(set));
      });
}

sqlite::disk_state sqlite_store::disk() {
  return engine_->disk().state();
}

// Neither what people ask nor other checks can keep it waiting: it has a reader of its own, and
// those that come while one is under way share its answer.
void sqlite_store::check_health(callback<unit> done) {
  done = engine_->admit(std::move(done));
  if (!done || !engine_->join_health_check(std::move(done)))
    return;
  auto answer = [this](const result<unit>& health) { engine_->answer_health_checks(health); };
  auto then_read = [this, answer](const result<unit>& wrote) {
    if (!wrote.ok())
      return answer(wrote);
    engine_->read<unit>(read_class::health, answer, [](connection& database) {
      database.value("SELECT value FROM counters LIMIT 1");
      return result<unit>{};
    });
  };
  engine_->write<unit>(write_class::lanes, durability::normal, std::move(then_read),
                       [](connection&) { return result<unit>{}; });
}

} // namespace signalbox
