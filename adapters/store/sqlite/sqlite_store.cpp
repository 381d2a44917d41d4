#include "adapters/store/sqlite/sqlite_store.hpp"

#include "adapters/store/sqlite/claims.hpp"
#include "adapters/store/sqlite/clock.hpp"
#include "adapters/store/sqlite/commit.hpp"
#include "adapters/store/sqlite/completion.hpp"
#include "adapters/store/sqlite/database_file.hpp"
#include "adapters/store/sqlite/engine.hpp"
#include "adapters/store/sqlite/flush.hpp"
#include "adapters/store/sqlite/leases.hpp"
#include "adapters/store/sqlite/migrations.hpp"
#include "adapters/store/sqlite/open_chunk.hpp"
#include "adapters/store/sqlite/planning.hpp"
#include "adapters/store/sqlite/sent_marks.hpp"
#include "adapters/store/sqlite/turns.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <exception>
#include <utility>

namespace signalbox {

using sqlite::connection;
using sqlite::durability;
using sqlite::read_class;
using sqlite::write_class;

namespace {

// Scopes are resolved by the writer, whose cache stays warm while a reader's is emptied by every
// commit; but long lists would hold it up.
constexpr std::size_t long_list = 32;

bool has_long_list(const std::vector<job_submission>& jobs) {
  return std::any_of(jobs.begin(), jobs.end(), [](const auto& submission) {
    const auto& scope = submission.job.scope;
    return scope.users.size() + scope.tokens.size() > long_list;
  });
}

boot_clock::time_point deadline_of(std::chrono::milliseconds lease) {
  return boot_clock::now() + lease - sqlite::lease_margin(lease);
}

} // namespace

result<std::unique_ptr<sqlite_store>> sqlite_store::open(sqlite_options options) {
  using answer = result<std::unique_ptr<sqlite_store>>;
  const auto path = options.path;
  if (const auto refused = sqlite::check_database_file(path))
    return answer::failure(refused->code, path + " " + refused->message);
  auto lock = std::make_unique<sqlite::process_lock>();
  switch (lock->acquire(path, options.lock_wait)) {
  case sqlite::process_lock::outcome::held:
    break;
  case sqlite::process_lock::outcome::other_node:
    return answer::failure(errc::busy, "another node holds " + lock->path());
  case sqlite::process_lock::outcome::failed:
    return answer::failure(errc::unavailable, lock->path() + ": " + std::strerror(errno));
  }
  sqlite::make_private(path);
  try {
    auto made = std::make_unique<engine>(std::move(options), std::move(lock));
    return answer::success(std::unique_ptr<sqlite_store>{new sqlite_store{std::move(made)}});
  } catch (const sqlite::schema_too_new& error) {
    return answer::failure(errc::conflict, path + " has schema " + std::to_string(error.found) +
                                             ", this program knows up to " +
                                             std::to_string(sqlite::schema_version()));
  } catch (const sqlite::failure& error) {
    return answer::failure(errc::unavailable, path + ": " + error.what());
  }
}

sqlite_store::sqlite_store(std::unique_ptr<engine> engine) : engine_{std::move(engine)} {}

sqlite_store::~sqlite_store() = default;

void sqlite_store::close() {
  engine_->close();
}

// Leases are never written with a time from before the clock was put back.
void sqlite_store::engine::keep_time(connection& database, sqlite::commit_group& group) {
  const auto now = shared_.now();
  sqlite::follow_clock(database, shared_, state_, now);
  group.now = std::min(group.now, now);
}

// What a pause covers is committed, and waits for a claim.
void sqlite_store::engine::leave_paused(sqlite::commit_group& group) {
  if (shared_.pauses.is_empty())
    return;
  for (auto& submission : group.jobs) {
    const auto& job = submission.job;
    const sqlite::job_traits traits{job.id, job.app, job.lane, job.scope.kind, job.scope.name};
    submission.take = submission.take && !shared_.pauses.covers(traits, std::nullopt);
  }
}

void sqlite_store::commit_jobs(std::vector<job_submission> jobs, std::chrono::milliseconds lease,
                               callback<std::vector<commit_result>> done) {
  using results = std::vector<commit_result>;
  done = engine_->admit_new(std::move(done));
  if (!done)
    return;
  auto group = std::make_shared<sqlite::commit_group>();
  const bool apart = has_long_list(jobs);
  group->jobs = std::move(jobs);
  group->lease = lease;
  group->lease_deadline = deadline_of(lease);
  group->now = engine_->shared().now();
  auto write = [this, group, done](result<unit> resolved) {
    if (!resolved.ok())
      return done(result<results>::failure(resolved.code, resolved.message));
    engine_->write<results>(
      write_class::jobs, durability::full, done, [this, group](connection& database) {
        engine_->keep_time(database, *group);
        engine_->leave_paused(*group);
        sqlite::commit_group_jobs(database, engine_->shared(), engine_->state(), *group);
        return result<results>::success(std::move(group->results));
      });
  };
  if (!apart)
    return write({});
  engine_->read<unit>(read_class::lanes, std::move(write), [this, group](connection& database) {
    sqlite::resolve_group(database, engine_->shared(), *group);
    return result<unit>{};
  });
}

void sqlite_store::plan(const std::string& lane, std::size_t chunk_size,
                        callback<plan_result> done) {
  done = engine_->admit(std::move(done));
  if (!done)
    return;
  using reading = sqlite::plan_reading;
  chunk_size = std::clamp<std::size_t>(chunk_size, 1, 1'000);
  engine_->read<reading>(
    read_class::lanes,
    [this, lane, chunk_size, done](result<reading> read) {
      if (!read.ok())
        return done({read.code, std::move(read.message), {}});
      engine_->set_last_planned(lane, read.value.last);
      if (read.value.steps.empty())
        return done(result<plan_result>::success({0, read.value.is_cut_short, {}}));
      auto close_ended = [this, done](result<sqlite::written_plan> written) {
        for (const auto job : written.value.ended)
          engine_->close_job(job);
        done({written.code, std::move(written.message), std::move(written.value.result)});
      };
      engine_->write<sqlite::written_plan>(
        write_class::lanes, durability::normal, std::move(close_ended),
        [this, chunk_size, planned = std::move(read.value.steps)](connection& database) {
          return result<sqlite::written_plan>::success(
            sqlite::write_plan_steps(database, engine_->shared(), planned, chunk_size));
        });
    },
    [this, lane, chunk_size](connection& database) {
      return result<reading>::success(sqlite::read_plan_steps(
        database, engine_->shared(), lane, engine_->last_planned(lane), chunk_size));
    });
}

void sqlite_store::claim(claim_request request, callback<claim_result> done) {
  done = engine_->admit(std::move(done));
  if (!done)
    return;
  const auto deadline = deadline_of(request.lease);
  auto shared = std::make_shared<const claim_request>(std::move(request));
  engine_->claim(
    shared, [this, deadline, lease = shared->lease, done](result<sqlite::claimed_set> claimed) {
      if (!claimed.ok())
        return done(result<claim_result>::failure(claimed.code, claimed.message));
      if (claimed.value.works.empty())
        return done(result<claim_result>::success({{}, std::move(claimed.value.refused)}));
      engine_->load(std::make_shared<sqlite::claimed_set>(std::move(claimed.value)), deadline,
                    lease, done);
    });
}

// Where a claim only came upon paused work, the next one finds what lies behind.
void sqlite_store::engine::claim(std::shared_ptr<const claim_request> request,
                                 callback<sqlite::claimed_set> done) {
  auto look = [this, request, done = std::move(done)](result<sqlite::claimed_set> claimed) {
    if (claimed.ok())
      sqlite::begin_retry_leases(shared_, claimed.value);
    if (claimed.ok() && claimed.value.works.empty() && claimed.value.is_cut_short)
      return claim(request, done);
    done(std::move(claimed));
  };
  write<sqlite::claimed_set>(write_class::lanes, durability::normal, std::move(look),
                             [this, request](connection& database) {
                               return result<sqlite::claimed_set>::success(
                                 sqlite::claim_work(database, shared_, state_, *request));
                             });
}

void sqlite_store::engine::load(std::shared_ptr<sqlite::claimed_set> set,
                                boot_clock::time_point deadline, std::chrono::milliseconds lease,
                                callback<claim_result> done) {
  using sqlite::loaded_set;
  auto keys = std::make_shared<std::vector<sqlite::loading_leases::key>>();
  for (const auto& one : set->works)
    keys->emplace_back(one.job, one.epoch);
  shared_.loading.begin(*keys, lease);
  auto damaged = std::make_shared<std::vector<sqlite::claimed_work>>();
  auto answer = [this, keys, done = std::move(done)](result<claim_result> loaded) {
    shared_.loading.end(*keys);
    done(std::move(loaded));
  };
  auto hand_over = [this, set, damaged, deadline, lease,
                    answer = std::move(answer)](result<std::shared_ptr<loaded_set>> loaded) {
    if (!loaded.ok()) {
      give_back(*set);
      return answer({loaded.code, std::move(loaded.message), {}});
    }
    if (!damaged->empty())
      set_aside(std::move(*damaged));
    // Renewals come in time if no more than a third of the lease has passed.
    if (boot_clock::now() >= deadline + sqlite::lease_margin(lease) - 2 * lease / 3)
      return renew_loaded(std::move(loaded.value), lease, answer);
    answer(result<claim_result>::success(loaded.value->handed_over()));
  };
  read<std::shared_ptr<loaded_set>>(
    read_class::lanes, std::move(hand_over), [this, set, damaged, deadline](connection& database) {
      auto loaded = std::make_shared<loaded_set>();
      loaded->refused = set->refused;
      damaged->clear();
      for (const auto& one : set->works) {
        try {
          if (auto work = sqlite::load_work(database, shared_, one, deadline))
            loaded->works.push_back(std::move(work));
        } catch (const sqlite::failure& error) {
          if (!error.is_about_rows())
            throw;
          damaged->push_back(one);
        }
      }
      return result<std::shared_ptr<loaded_set>>::success(std::move(loaded));
    });
}

// Where it fails, nothing is sent before the owner has renewed them.
void sqlite_store::engine::renew_loaded(std::shared_ptr<sqlite::loaded_set> loaded,
                                        std::chrono::milliseconds lease,
                                        callback<claim_result> done) {
  using renewals = std::vector<renewed_lease>;
  std::vector<lease_ref> leases;
  for (const auto& work : loaded->works)
    leases.push_back({work->kind, work->key, work->epoch});
  const auto deadline = deadline_of(lease);
  auto hand_over = [loaded, deadline, done = std::move(done)](result<renewals> renewed) {
    for (std::size_t i = renewed.value.size(); i-- > 0;)
      if (renewed.value[i].held)
        loaded->works[i]->lease_deadline = deadline;
      else
        loaded->works.erase(loaded->works.begin() + static_cast<std::ptrdiff_t>(i));
    done(result<claim_result>::success(loaded->handed_over()));
  };
  write<renewals>(write_class::lanes, durability::normal, std::move(hand_over),
                  [this, leases = std::move(leases), lease](connection& database) {
                    return result<renewals>::success(
                      sqlite::renew_leases(database, shared_, state_, leases, lease));
                  });
}

void sqlite_store::engine::give_back(const sqlite::claimed_set& set) {
  std::vector<lease_ref> leases;
  for (const auto& one : set.works)
    leases.push_back({one.kind, one.key, one.epoch});
  write<unit>(
    write_class::lanes, durability::normal, [](const result<unit>&) {},
    [this, leases = std::move(leases)](connection& database) {
      sqlite::release_leases(database, shared_, state_, leases);
      return result<unit>{};
    });
}

void sqlite_store::engine::set_aside(std::vector<sqlite::claimed_work> damaged) {
  write<unit>(
    write_class::lanes, durability::normal, [](const result<unit>&) {},
    [this, damaged = std::move(damaged)](connection& database) {
      for (const auto& one : damaged) {
        if (sqlite::lacks_order(database, one.job)) {
          sqlite::release_leases(database, shared_, state_, {{one.kind, one.key, one.epoch}});
          sqlite::fail_dispatch(database, shared_.retry_leases, one.job, shared_.now());
        } else if (one.kind == work_kind::chunk) {
          sqlite::close_damaged(database, one.job, one.key.seq, shared_.now());
        }
      }
      return result<unit>{};
    });
}

void sqlite_store::reload(lease_ref lease, callback<work_ptr> done) {
  done = engine_->admit(std::move(done));
  if (!done)
    return;
  const auto asked_at = boot_clock::now();
  engine_->read<work_ptr>(
    read_class::lanes, std::move(done), [this, lease, asked_at](connection& database) {
      auto held = sqlite::find_held(database, engine_->shared(), lease);
      if (!held)
        return result<work_ptr>{};
      const auto deadline = asked_at + held->left - sqlite::lease_margin(held->left);
      return result<work_ptr>::success(
        sqlite::load_work(database, engine_->shared(), held->work, deadline));
    });
}

void sqlite_store::renew(std::vector<lease_ref> leases, std::chrono::milliseconds lease,
                         callback<renewal> done) {
  done = engine_->admit(std::move(done));
  if (!done)
    return;
  const auto deadline = deadline_of(lease);
  ++engine_->shared().renewals_waiting;
  auto note = [this, done = std::move(done)](result<renewal> renewed) {
    --engine_->shared().renewals_waiting;
    if (!renewed.ok())
      engine_->state().renewal_failed_at = engine_->shared().now();
    done(std::move(renewed));
  };
  engine_->write<renewal>(
    write_class::lanes, durability::normal, std::move(note),
    [this, leases = std::move(leases), lease, deadline](connection& database) {
      return result<renewal>::success(
        {deadline,
         sqlite::renew_leases(database, engine_->shared(), engine_->state(), leases, lease)});
    });
}

void sqlite_store::release(std::vector<lease_ref> leases, callback<unit> done) {
  done = engine_->admit(std::move(done));
  if (!done)
    return;
  engine_->write<unit>(write_class::lanes, durability::normal, std::move(done),
                       [this, leases = std::move(leases)](connection& database) {
                         sqlite::release_leases(database, engine_->shared(), engine_->state(),
                                                leases);
                         return result<unit>{};
                       });
}

void sqlite_store::mark_sent(std::vector<sent_mark> marks, callback<std::vector<bool>> done) {
  done = engine_->admit(std::move(done));
  if (!done)
    return;
  engine_->write<std::vector<bool>>(write_class::lanes, durability::full, std::move(done),
                                    [this, marks = std::move(marks)](connection& database) {
                                      return result<std::vector<bool>>::success(sqlite::mark_sent(
                                        database, engine_->shared(), engine_->state(), marks));
                                    });
}

void sqlite_store::refund(std::vector<retry_ref> retries, callback<unit> done) {
  done = engine_->admit(std::move(done));
  if (!done)
    return;
  engine_->write<unit>(write_class::lanes, durability::normal, std::move(done),
                       [this, retries = std::move(retries)](connection& database) {
                         sqlite::refund_attempts(database, engine_->state(), retries);
                         return result<unit>{};
                       });
}

void sqlite_store::flush(std::vector<outcome_batch> batches, callback<flush_result> done) {
  done = engine_->admit(std::move(done));
  if (!done)
    return;
  auto ended = std::make_shared<std::vector<sqlite::pack_number>>();
  auto shared = std::make_shared<const std::vector<outcome_batch>>(std::move(batches));
  auto note = [this, shared, ended, done](result<flush_result> flushed) {
    if (flushed.ok()) {
      engine_->shared().retry_leases.end(*ended);
      for (const auto& batch : *shared)
        if (batch.of && batch.of->job->activity)
          engine_->shared().waits.moved(batch.of->job->activity->activity);
    }
    if (flushed.ok() && flushed.value.invalidated > 0)
      engine_->directory_changed();
    done(std::move(flushed));
  };
  auto look = [this, shared, ended, note](result<flush_result> flushed) {
    const bool is_about_rows = flushed.code == errc::conflict || flushed.code == errc::internal;
    if (!is_about_rows)
      return note(std::move(flushed));
    engine_->write<flush_result>(
      write_class::lanes, durability::full, note, [this, shared, ended](connection& database) {
        ended->clear();
        return result<flush_result>::success(sqlite::flush_outcomes(
          database, engine_->shared(), engine_->state(), *shared, *ended, true));
      });
  };
  engine_->write<flush_result>(write_class::lanes, durability::full, std::move(look),
                               [this, shared, ended](connection& database) {
                                 return result<flush_result>::success(sqlite::flush_outcomes(
                                   database, engine_->shared(), engine_->state(), *shared, *ended));
                               });
}

void sqlite_store::complete(std::vector<job_id> jobs, callback<std::vector<job_id>> done) {
  done = engine_->admit(std::move(done));
  if (!done)
    return;
  engine_->write<std::vector<job_id>>(
    write_class::lanes, durability::normal, std::move(done),
    [this, jobs = std::move(jobs)](connection& database) {
      std::vector<job_id> completed;
      const auto now = engine_->shared().now();
      for (const auto& id : jobs) {
        const auto job = sqlite::find_job(database, engine_->state(), id);
        if (!job || !sqlite::try_complete(database, *job, now))
          continue;
        completed.push_back(id);
        engine_->state().jobs.erase(id);
      }
      return result<std::vector<job_id>>::success(std::move(completed));
    });
}

} // namespace signalbox
