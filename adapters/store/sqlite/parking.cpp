#include "adapters/store/sqlite/parking.hpp"

#include "adapters/store/sqlite/retry_packs.hpp"
#include "adapters/store/sqlite/savepoint.hpp"

#include <spdlog/spdlog.h>

#include <algorithm>

namespace signalbox::sqlite {

namespace {

struct unparked {
  std::size_t rows = 0;
  bool is_whole = true;
};

// What no pause covers of a job, and of its retries so many at most.
unparked unpark_job(connection& database, const shared_state& shared, writer_state& state,
                    job_number job, std::size_t limit) {
  unparked part;
  const auto traits = traits_of(database, job);
  for (const auto pool : all_pools) {
    if (traits && shared.pauses.covers(*traits, pool))
      continue;
    part.rows += static_cast<std::size_t>(
      database.execute("UPDATE chunks INDEXED BY chunks_parked SET status = 1 WHERE status = 4 "
                       "AND job = ? AND pool = ?",
                       job, pool));
    const auto packs = unpark_packs(database, job, pool, limit);
    if (packs > 0)
      state.retry_cursors.clear();
    part.rows += packs;
    part.is_whole &= packs < limit;
  }
  return part;
}

} // namespace

std::optional<job_traits> traits_of(connection& database, job_number job) {
  auto found = database.query(
    "SELECT id, app, (SELECT name FROM lanes WHERE lanes.id = jobs.lane), " SIGNALBOX_ADDRESSEE
    " FROM jobs WHERE n = ?",
    job);
  if (!found.next())
    return std::nullopt;
  return job_traits{found.id(0), found.integer(1), std::string{found.text(2)},
                    found.as<scope_kind>(3), std::string{found.text(4)}};
}

std::size_t park_chunks(connection& database, job_number job, pool_code pool) {
  return static_cast<std::size_t>(
    database.execute("UPDATE chunks INDEXED BY chunks_ready SET status = 4 WHERE status = 1 "
                     "AND (lane, app) = (SELECT lane, app FROM jobs WHERE n = ?1) AND pool = ?2 "
                     "AND job = ?1",
                     job, pool));
}

void unpark_chunks(connection& database, job_number job) {
  database.execute("UPDATE chunks INDEXED BY chunks_parked SET status = 1 WHERE status = 4 "
                   "AND job = ?",
                   job);
}

bool unpark_slice(connection& database, shared_state& shared, writer_state& state,
                  std::size_t limit) {
  auto& after = state.unparked_to;
  for (std::size_t touched = 0; after;) {
    if (touched >= limit)
      return true;
    const auto chunk = database.value("SELECT job FROM chunks INDEXED BY chunks_parked "
                                      "WHERE status = 4 AND job > ? ORDER BY job LIMIT 1",
                                      *after);
    const auto retry = next_parked_job(database, *after);
    if (!chunk && !retry) {
      after.reset();
      return false;
    }
    const auto job = !chunk ? *retry : !retry ? *chunk : std::min(*chunk, *retry);
    unparked part;
    if (const auto error =
          try_part(database, [&] { part = unpark_job(database, shared, state, job, limit); }))
      spdlog::error("event=not_unparked job_number={} error={:?}", job, *error);
    touched += 1 + part.rows;
    if (part.is_whole)
      after = job;
  }
  return false;
}

} // namespace signalbox::sqlite
