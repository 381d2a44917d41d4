// The job_control and dead_letter_office sides of sqlite_store.

#include "adapters/store/sqlite/bulk_cancel.hpp"
#include "adapters/store/sqlite/engine.hpp"
#include "adapters/store/sqlite/letter_office.hpp"
#include "adapters/store/sqlite/paging.hpp"

#include <algorithm>
#include <memory>
#include <utility>

namespace signalbox {

using sqlite::connection;
using sqlite::durability;
using sqlite::read_class;
using sqlite::write_class;

namespace {

// Every claim looks at each.
constexpr std::size_t most_pauses = 1'000;

} // namespace

void sqlite_store::pause(work_rule rule, std::string reason, callback<pause_view> done) {
  using answer = result<pause_view>;
  done = engine_->admit(std::move(done));
  if (!done)
    return;
  if (sqlite::names_nothing(rule))
    return done(answer::failure(errc::invalid, "a pause has to name what it covers"));
  auto take_over = [this, done](answer paused) {
    auto& list = engine_->shared().pauses;
    auto pauses = list.list();
    if (paused.ok() && (pauses.empty() || pauses.back().id < paused.value.id)) {
      pauses.push_back(paused.value);
      list.set(std::move(pauses));
    }
    done(std::move(paused));
  };
  engine_->write<pause_view>(
    write_class::lanes, durability::full, std::move(take_over),
    [this, rule = std::move(rule), reason = std::move(reason)](connection& database) {
      const auto pauses = engine_->shared().pauses.list();
      const auto same = std::find_if(pauses.begin(), pauses.end(),
                                     [&](const auto& one) { return one.rule == rule; });
      if (same != pauses.end()) {
        auto there = *same;
        there.existed = true;
        return answer::success(std::move(there));
      }
      if (pauses.size() >= most_pauses)
        return answer::failure(errc::conflict,
                               "there are " + std::to_string(most_pauses) + " pauses already");
      return answer::success(sqlite::insert_pause(database, rule, reason, engine_->shared().now()));
    });
}

void sqlite_store::resume(std::int64_t pause, callback<unit> done) {
  done = engine_->admit(std::move(done));
  if (!done)
    return;
  auto take_over = [this, pause, done](result<unit> resumed) {
    if (resumed.ok()) {
      auto& list = engine_->shared().pauses;
      auto pauses = list.list();
      std::erase_if(pauses, [&](const auto& one) { return one.id == pause; });
      list.set(std::move(pauses));
      engine_->unpark();
    }
    done(std::move(resumed));
  };
  engine_->write<unit>(
    write_class::lanes, durability::full, std::move(take_over), [pause](connection& database) {
      return sqlite::delete_pause(database, pause)
               ? result<unit>{}
               : result<unit>::failure(errc::not_found,
                                       "pause " + std::to_string(pause) + " does not exist");
    });
}

void sqlite_store::list_pauses(page_request page, callback<page_of<pause_view>> done) {
  if (done = engine_->admit(std::move(done)); done)
    engine_->read<page_of<pause_view>>(
      read_class::lookups, std::move(done), [this, page = std::move(page)](connection&) {
        const auto after = sqlite::number_after(page, 0);
        page_of<pause_view> found;
        for (auto& pause : engine_->shared().pauses.list()) {
          if (pause.id <= after)
            continue;
          if (found.items.size() == page.limit) {
            found.next = std::to_string(found.items.back().id);
            break;
          }
          found.items.push_back(std::move(pause));
        }
        return result<page_of<pause_view>>::success(std::move(found));
      });
}

void sqlite_store::cancel_jobs(work_rule rule, std::optional<timestamp> created_before,
                               callback<cancel_result> done) {
  using answer = result<cancel_result>;
  using sqlite::jobs_to_cancel;
  done = engine_->admit(std::move(done));
  if (!done)
    return;
  if (sqlite::names_nothing(rule) || rule.provider || rule.env)
    return done(answer::failure(errc::invalid, "a cancel names an app, a lane, a topic, a user or "
                                               "a job, and no platform or environment"));
  auto cancel = [this, done](result<jobs_to_cancel> open) {
    if (!open.ok() || open.value.jobs.empty())
      return done({open.code, std::move(open.message), {}});
    auto cancelled = std::make_shared<sqlite::cancelled_jobs>();
    auto close = [this, cancelled, done](answer ended) {
      if (ended.ok())
        for (const auto job : cancelled->jobs)
          engine_->close_job(job);
      done(std::move(ended));
    };
    engine_->write<cancel_result>(write_class::lanes, durability::full, std::move(close),
                                  [cancelled, open = std::move(open.value)](connection& database) {
                                    *cancelled = sqlite::cancel_all(database, open.jobs);
                                    return answer::success({cancelled->ids, open.more});
                                  });
  };
  engine_->read<jobs_to_cancel>(read_class::queries, std::move(cancel),
                                [rule = std::move(rule), created_before](connection& database) {
                                  return result<jobs_to_cancel>::success(
                                    sqlite::find_open_jobs(database, rule, created_before));
                                });
}

void sqlite_store::list_dead_letters(dead_letter_filter filter, page_request page,
                                     callback<page_of<dead_letter_view>> done) {
  if (done = engine_->admit(std::move(done)); done)
    engine_->read<page_of<dead_letter_view>>(
      read_class::queries, std::move(done),
      [this, filter = std::move(filter), page = std::move(page)](connection& database) {
        return sqlite::read_letters(database, engine_->shared(), filter, page);
      });
}

void sqlite_store::replay_dead_letters(dead_letter_filter filter, bool dry_run,
                                       callback<replay_result> done) {
  using answer = result<replay_result>;
  using sqlite::found_letters;
  done = engine_->admit(std::move(done));
  if (!done)
    return;
  if (dry_run)
    return engine_->read<replay_result>(
      read_class::queries, std::move(done),
      [this, filter = std::move(filter)](connection& database) {
        return answer::success(sqlite::count_replay(
          database, sqlite::letters_to_replay(database, engine_->shared(), filter)));
      });
  if (!engine_->disk().has_room())
    return done(answer::failure(errc::disk_full, "the disk of the store is nearly full"));
  auto write = [this, done](result<found_letters> found) {
    if (!found.ok() || found.value.letters.empty())
      return done({found.code, std::move(found.message), {}});
    engine_->write<replay_result>(write_class::lanes, durability::full, done,
                                  [this, found = std::move(found.value)](connection& database) {
                                    return answer::success(sqlite::write_replay(
                                      database, engine_->shared(), engine_->state(), found));
                                  });
  };
  engine_->read<found_letters>(read_class::queries, std::move(write),
                               [this, filter = std::move(filter)](connection& database) {
                                 return result<found_letters>::success(
                                   sqlite::letters_to_replay(database, engine_->shared(), filter));
                               });
}

void sqlite_store::delete_dead_letters(dead_letter_filter filter,
                                       callback<dead_letter_count> done) {
  using answer = result<dead_letter_count>;
  using sqlite::found_letters;
  done = engine_->admit(std::move(done));
  if (!done)
    return;
  auto write = [this, done](result<found_letters> found) {
    if (!found.ok() || found.value.letters.empty())
      return done({found.code, std::move(found.message), {}});
    engine_->write<dead_letter_count>(
      write_class::lanes, durability::full, done,
      [found = std::move(found.value)](connection& database) {
        return answer::success({sqlite::delete_letters(database, found), found.more});
      });
  };
  engine_->read<found_letters>(read_class::queries, std::move(write),
                               [this, filter = std::move(filter)](connection& database) {
                                 return result<found_letters>::success(
                                   sqlite::letters_to_delete(database, engine_->shared(), filter));
                               });
}

} // namespace signalbox
