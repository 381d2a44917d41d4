#include "adapters/store/sqlite/turns.hpp"

#include "adapters/store/sqlite/activity_targets.hpp"
#include "adapters/store/sqlite/completion.hpp"
#include "adapters/store/sqlite/open_chunk.hpp"
#include "adapters/store/sqlite/planning.hpp"
#include "adapters/store/sqlite/retry_packs.hpp"
#include "adapters/store/sqlite/states.hpp"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <utility>

namespace signalbox::sqlite {

namespace {

struct dispatch {
  activity_number activity = 0;
  std::int64_t seq = 0;
  job_number job = 0;
  activity_action action = activity_action::start;
  bool begun = false;
  timestamp begun_at;
};

#define SIGNALBOX_DISPATCH_COLUMNS "activity, seq, job, action, begun, begun_at"

dispatch dispatch_of(const rows& found) {
  return {found.integer(0),      found.integer(1),
          found.integer(2),      found.as<activity_action>(3),
          found.integer(4) != 0, found.is_null(5) ? timestamp{} : found.time(5)};
}

std::optional<dispatch> find_dispatch(connection& database, job_number job) {
  auto found = database.query(
    "SELECT " SIGNALBOX_DISPATCH_COLUMNS " FROM activity_dispatches WHERE job = ?", job);
  return found.next() ? std::optional{dispatch_of(found)} : std::nullopt;
}

// Those without completed_at, oldest first.
std::vector<dispatch> open_before(connection& database, const dispatch& of) {
  std::vector<dispatch> list;
  auto found = database.query("SELECT " SIGNALBOX_DISPATCH_COLUMNS
                              " FROM activity_dispatches INDEXED BY activity_dispatches_open "
                              "WHERE open = 1 AND activity = ? AND seq < ? ORDER BY seq",
                              of.activity, of.seq);
  while (found.next())
    list.push_back(dispatch_of(found));
  return list;
}

// Those that may have requests to the same devices in flight.
std::vector<dispatch> older_in(connection& database, const dispatch& of, pool_code pool) {
  auto list = open_before(database, of);
  if (destination_of(default_app, pool).provider == platform::apns)
    std::erase_if(list, [](const dispatch& each) { // a start's tokens are others
      return each.action == activity_action::start;
    });
  return list;
}

job_status status_of(connection& database, job_number job) {
  return static_cast<job_status>(
    database.value("SELECT status FROM jobs WHERE n = ?", job).value_or(0));
}

// Only what can still be delivered counts as newer.
bool has_newer(connection& database, const dispatch& than) {
  return database
    .value("SELECT 1 FROM activity_dispatches d INDEXED BY activity_dispatches_open "
           "CROSS JOIN jobs j ON j.n = d.job WHERE d.open = 1 AND d.activity = ? AND d.seq > ? "
           "AND j.status < 6 LIMIT 1",
           than.activity, than.seq)
    .has_value();
}

// But for retries.
bool has_more_to_send(connection& database, job_number job) {
  return database
    .value("SELECT 1 FROM jobs WHERE n = ?1 AND (plan_done = 0 "
           "OR EXISTS(SELECT 1 FROM chunks WHERE job = ?1 AND status <> 3))",
           job)
    .has_value();
}

// A chunk of devices that were set apart is done without an outcome, and never had an epoch.
bool had_its_chance(connection& database, const dispatch& of, timestamp now) {
  if (now >= of.begun_at + longest_patience || now < of.begun_at)
    return true;
  return is_terminal(status_of(database, of.job)) ||
         database
           .value("SELECT 1 FROM chunks WHERE job = ? AND (done IS NOT NULL OR status = 3 AND "
                  "(epoch IS NOT NULL OR accepted + rejected + unknown + expired + skipped > 0)) "
                  "LIMIT 1",
                  of.job)
           .has_value() ||
         !has_more_to_send(database, of.job);
}

bool is_waiting(connection& database, job_number job) {
  return has_more_to_send(database, job) || has_retries(database, job);
}

// The devices that a superseded update was not planned for come first in the next one.
void note_unplanned(connection& database, job_number job) {
  plan_cursor cursor;
  std::uint32_t seq = 0;
  {
    auto found = database.query("SELECT plan_cursor, next_seq FROM jobs WHERE n = ? "
                                "AND plan_done = 0 AND EXISTS(SELECT 1 FROM activity_dispatches "
                                "WHERE job = n AND whole_scope = 0)",
                                job);
    if (!found.next())
      return;
    cursor = plan_cursor::from(found.bytes(0));
    seq = static_cast<std::uint32_t>(found.integer(1));
  }
  for (std::size_t i = 0; i < all_pools.size(); ++i)
    if (cursor.at[i] > 0)
      note_cut(database, job, all_pools[i], seq, activity_audience::next_token(cursor.at[i]));
}

// Of leased retries. A pack that this transaction does not see yet, or cannot read, counts as a
// whole; one that has come to its end is leased no more.
void add_unanswered(connection& database, const retry_leases& leases,
                    const std::vector<leased_retry>& targets, std::vector<token_id>& busy) {
  for (const auto n : packs_of(targets)) {
    const auto pack = read_pack(database, n);
    if (pack && !pack->is_damaged) {
      for (const auto& one : pack->entries)
        busy.push_back(one.token);
      continue;
    }
    if (!leases.is_leased(n))
      continue;
    for (const auto& one : targets)
      if (one.pack == n)
        busy.push_back(one.token);
  }
}

void end_one(connection& database, job_number job, job_status to, std::vector<job_number>& ended) {
  if (end_job(database, job, status_of(database, job), to) == transition::apply)
    ended.push_back(job);
}

} // namespace

turn_move next_move(connection& database, job_number job, timestamp now) {
  const auto own = find_dispatch(database, job);
  if (!own)
    return turn_move::fail;
  const auto status = database.value("SELECT status FROM activities WHERE id = ?", own->activity);
  if (!status)
    return turn_move::fail;
  if (own->begun)
    return turn_move::plan;
  if (own->action == activity_action::update &&
      (*status != static_cast<std::int64_t>(activity_status::active) || has_newer(database, *own)))
    return turn_move::give_up;
  for (const auto& each : open_before(database, *own))
    if (each.action == activity_action::update && each.begun &&
        !had_its_chance(database, each, now))
      return turn_move::wait;
  return turn_move::begin;
}

std::vector<job_number> begin_turn(connection& database, job_number job, timestamp now) {
  const auto own = find_dispatch(database, job);
  if (!own)
    return {};
  database.execute("UPDATE activity_dispatches SET begun = 1, begun_at = ?1, whole_scope = "
                   "(SELECT pending_until > ?1 AND EXISTS(SELECT 1 FROM jobs WHERE n = start_job "
                   "AND completed_at IS NULL) FROM activities WHERE id = activity) WHERE job = ?2",
                   now, job);
  std::vector<job_number> ended;
  for (const auto& each : open_before(database, *own)) {
    if (try_complete(database, each.job, now))
      continue; // all of it was sent, and only its completion was under way
    if (each.action == activity_action::update) {
      note_unplanned(database, each.job);
      end_one(database, each.job, job_status::superseded, ended);
    } else if (own->action == activity_action::end && is_waiting(database, each.job)) {
      end_one(database, each.job, job_status::cancelled, ended);
    }
  }
  return ended;
}

bool has_turn_at_once(connection& database, job_number job) {
  const auto own = find_dispatch(database, job);
  return own && open_before(database, *own).empty();
}

pool_turn turn_in(connection& database, const retry_leases& leases, job_number job, pool_code pool,
                  timestamp now) {
  const auto own = find_dispatch(database, job);
  if (!own)
    return {};
  for (const auto& each : older_in(database, *own, pool))
    if (database
          .value("SELECT 1 FROM jobs WHERE n = ?1 AND (plan_done = 0 "
                 "OR EXISTS(SELECT 1 FROM chunks WHERE job = ?1 AND pool = ?2 "
                 "AND status NOT IN (2, 3)))",
                 each.job, pool)
          .has_value())
      return {};
  auto busy = busy_tokens(database, leases, job, pool);
  const bool is_late = now >= own->begun_at + straggler_wait || now < own->begun_at;
  if (!busy.empty() && !is_late)
    return {};
  return {true, std::move(busy)};
}

std::vector<token_id> busy_tokens(connection& database, const retry_leases& leases, job_number job,
                                  pool_code pool) {
  std::vector<token_id> busy;
  const auto own = find_dispatch(database, job);
  if (!own)
    return busy;
  for (const auto& each : older_in(database, *own, pool)) {
    {
      auto found = database.query("SELECT ids, targets, done, sent FROM chunks WHERE job = ? "
                                  "AND pool = ? AND status = 2",
                                  each.job, pool);
      while (found.next()) {
        const auto open = open_targets(found);
        if (!open)
          throw failure{0, "the target list of a chunk is damaged"};
        for (const auto& one : *open)
          busy.push_back(one.id);
      }
    }
    for (const auto& lease : leases.find_all(each.job, pool))
      add_unanswered(database, leases, *lease.targets, busy);
  }
  std::sort(busy.begin(), busy.end());
  return busy;
}

std::chrono::milliseconds next_look(connection& database, job_number job, timestamp now) {
  const auto own = find_dispatch(database, job);
  return own ? std::clamp((now - own->begun_at) / 8, straggler_look, longest_straggler_look)
             : straggler_look;
}

void note_cut(connection& database, job_number job, pool_code pool, std::uint32_t seq,
              token_id token) {
  database.execute(
    "INSERT INTO activity_turns(activity, pool, dispatch, chunk, token) "
    "SELECT activity, ?2, seq, ?3, ?4 FROM activity_dispatches WHERE job = ?1 "
    "ON CONFLICT(activity, pool) DO UPDATE SET dispatch = excluded.dispatch, "
    "chunk = excluded.chunk, token = excluded.token WHERE excluded.dispatch > dispatch "
    "OR (excluded.dispatch = dispatch AND (excluded.chunk, excluded.token) < (chunk, token))",
    job, pool, seq, token);
}

token_id first_token(connection& database, activity_number activity, pool_code pool) {
  return database
    .value("SELECT token FROM activity_turns WHERE activity = ? AND pool = ?", activity, pool)
    .value_or(0);
}

bool lacks_order(connection& database, job_number job) {
  return database.value("SELECT 1 FROM jobs WHERE n = ? AND scope_kind = ?", job,
                        scope_kind::activity) &&
         next_move(database, job, timestamp{}) == turn_move::fail;
}

void fail_dispatch(connection& database, const retry_leases& leases, job_number job,
                   timestamp now) {
  spdlog::error("event=dispatch_without_order job_number={}", job);
  if (end_job(database, job, status_of(database, job), job_status::failed) == transition::apply)
    close_slice(database, leases, job, now);
}

overtaken overtaken_in(connection& database, job_number job, pool_code pool, work_kind kind) {
  const auto own = find_dispatch(database, job);
  if (!own || own->action != activity_action::start ||
      destination_of(default_app, pool).provider == platform::apns)
    return overtaken::nobody;
  const auto is_after_one_with = [&](bool whole_scope) {
    return database
      .value("SELECT 1 FROM activity_dispatches d CROSS JOIN jobs j ON j.n = d.job "
             "WHERE d.activity = ?1 AND d.seq > ?2 AND d.begun = 1 AND d.whole_scope = ?3 "
             "AND (NOT ?4 OR EXISTS(SELECT 1 FROM chunks WHERE job = d.job AND pool = ?5)) "
             "AND (j.status < 6 OR j.status = 9 OR EXISTS(SELECT 1 FROM chunks WHERE job = d.job "
             "AND (status = 2 OR accepted + unknown > 0))) LIMIT 1",
             own->activity, own->seq, whole_scope, kind == work_kind::chunk, pool)
      .has_value();
  };
  if (is_after_one_with(true))
    return overtaken::all;
  return is_after_one_with(false) ? overtaken::bound : overtaken::nobody;
}

} // namespace signalbox::sqlite
