#pragma once

#include "adapters/store/sqlite/activities.hpp"
#include "adapters/store/sqlite/connection.hpp"
#include "adapters/store/sqlite/job_cache.hpp"
#include "adapters/store/sqlite/ledger_state.hpp"
#include "adapters/store/sqlite/pool.hpp"
#include "messages/work.hpp"

#include <chrono>
#include <cstdint>
#include <optional>
#include <vector>

namespace signalbox::sqlite {

// How the dispatches of an activity take turns (docs/live-activity.md): in each pool one of them
// goes out at a time. A newer one supersedes the update under way, and is planned when nothing of
// that has a lease any more: then no device has a request in flight, and what the older one did not
// get to is known.

/// An update that is going out gets so long to show an outcome before a newer one ends it: without
/// that, updates that come faster than answers would end each other for ever.
inline constexpr std::chrono::seconds longest_patience{1};

/// What is next for a dispatch whose planning is not done.
enum class turn_move : std::uint8_t {
  wait,    ///< for the one under way to have its chance
  give_up, ///< a newer one is accepted, or the activity is closed: superseded without being sent
  begin,   ///< its turn has come
  plan,    ///< it has begun
  fail,    ///< its row, or its activity's, is missing: no order can be promised
};
turn_move next_move(connection& database, job_number job, timestamp now);

/// Ends what the dispatch's turn ends: the updates before it, and a start that is still waiting if
/// it is an end. Returns the jobs that have ended. In the writer's transaction.
std::vector<job_number> begin_turn(connection& database, job_number job, timestamp now);

/// When only this long after a turn's begin something of the older dispatches is still in flight,
/// it no longer holds up the others: a request that is not answered takes until its timeout.
inline constexpr std::chrono::milliseconds straggler_wait{250};
/// So long a target that still has an older request in flight waits for another look at first, and
/// then longer: an eighth of the time since the turn's begin, up to the longest.
inline constexpr std::chrono::milliseconds straggler_look{100};
inline constexpr std::chrono::milliseconds longest_straggler_look{1'000};
std::chrono::milliseconds next_look(connection& database, job_number job, timestamp now);

/// Whether nothing of the activity is open but this new dispatch, so that it may begin with its
/// acceptance.
bool has_turn_at_once(connection& database, job_number job);

/// What the older dispatches leave of a pool.
struct pool_turn {
  bool is_free = false;       ///< the dispatch may be planned there, but for
  std::vector<token_id> busy; ///< those that have a request in flight, ascending
};
pool_turn turn_in(connection& database, const retry_leases& leases, job_number job, pool_code pool,
                  timestamp now);
/// The tokens that an older dispatch of the activity has a lease on, and no outcome of; ascending.
std::vector<token_id> busy_tokens(connection& database, const retry_leases& leases, job_number job,
                                  pool_code pool);

/// A superseded dispatch did not get to this token of its chunk: the next one goes on there.
void note_cut(connection& database, job_number job, pool_code pool, std::uint32_t seq,
              token_id token);
/// Where the dispatch begins in a pool; 0: at the start.
token_id first_token(connection& database, activity_number activity, pool_code pool);

/// Whether the job is a dispatch of whose order nothing is known: its row, or its activity's, is
/// missing or damaged. Nothing of it may be sent.
bool lacks_order(connection& database, job_number job);
/// Ends such a dispatch: FAILED, what has not been sent is skipped.
void fail_dispatch(connection& database, const retry_leases& leases, job_number job, timestamp now);

/// Whose part of a start is not to be sent any more, since a newer dispatch was for them.
enum class overtaken : std::uint8_t {
  nobody,
  bound, ///< the tokens that are bound to the activity
  all,
};
/// A newer one that failed, was cancelled or expired counts if something of it may have left.
/// For a chunk, one that is planned in the pool: then the chunk is claimed again after its owner
/// was lost. A start's tokens at APNs are others than those of what follows.
overtaken overtaken_in(connection& database, job_number job, pool_code pool, work_kind kind);

} // namespace signalbox::sqlite
