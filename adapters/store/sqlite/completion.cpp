#include "adapters/store/sqlite/completion.hpp"

#include "actors/done_bits.hpp"
#include "actors/job_states.hpp"
#include "messages/outcome.hpp"

#include <map>
#include <vector>

namespace signalbox::sqlite {

namespace {

constexpr std::size_t slice_chunks = 64;
// Looking at so many chunks is cheaper than at two indexes.
constexpr std::int64_t few_chunks = 4;
constexpr std::size_t slice_retries = 1'000;

// Two plain statements: one with a sub-query for the sums costs a temporary table each time.
void write_completion(connection& database, job_number job, job_status from, job_status to,
                      timestamp now) {
  const auto sums = sum_of_chunks(database, job);
  database.execute("UPDATE jobs SET status = ?, completed_at = ?, accepted = ?, rejected = ?, "
                   "unknown = ?, expired = ?, skipped = ? "
                   "WHERE n = ? AND status = ? AND completed_at IS NULL",
                   to, now, sums.accepted, sums.rejected, sums.unknown, sums.expired, sums.skipped,
                   job, from);
}

struct closing_job {
  lane_number lane = 0;
  app_id app = default_app;
  job_status status = job_status::cancelled;
  receipts_policy receipts = receipts_policy::failures;
};

std::size_t close_chunks(connection& database, job_number job, const closing_job& facts,
                         bool& more) {
  struct ready_chunk {
    std::uint32_t seq;
    std::size_t left;
  };
  std::vector<ready_chunk> ready;
  {
    auto found = database.query(
      "SELECT seq, targets, done FROM chunks INDEXED BY chunks_ready WHERE status = 1 "
      "AND lane = ? AND app = ? AND pool IN (17, 18, 33) AND job = ? LIMIT ?",
      facts.lane, facts.app, job, slice_chunks);
    while (found.next()) {
      const done_bits bits{static_cast<std::size_t>(found.integer(1)), found.bytes(2)};
      ready.push_back({static_cast<std::uint32_t>(found.integer(0)), bits.missing()});
    }
  }
  const bool expired = facts.status == job_status::expired;
  std::size_t targets = 0;
  for (const auto& chunk : ready) {
    database.execute("UPDATE chunks SET status = 3, skipped = skipped + ?, expired = expired + ?, "
                     "done = NULL, ids = NULL WHERE job = ? AND seq = ?",
                     expired ? 0 : chunk.left, expired ? chunk.left : 0, job, chunk.seq);
    targets += chunk.left;
  }
  more |= ready.size() == slice_chunks;
  return targets;
}

std::size_t close_retries(connection& database, job_number job, const closing_job& facts,
                          timestamp now, bool& more) {
  struct waiting {
    token_id token;
    std::uint32_t seq;
  };
  std::vector<waiting> rows;
  {
    auto found = database.query("SELECT token, seq FROM retries WHERE job = ? AND epoch IS NULL "
                                "LIMIT ?",
                                job, slice_retries);
    while (found.next())
      rows.push_back({found.integer(0), static_cast<std::uint32_t>(found.integer(1))});
  }
  const bool expired = facts.status == job_status::expired;
  std::map<std::uint32_t, std::int64_t> by_chunk;
  for (const auto& row : rows) {
    database.execute("DELETE FROM retries WHERE job = ? AND token = ?", job, row.token);
    if (facts.receipts != receipts_policy::none)
      database.execute("INSERT OR REPLACE INTO receipts(job, token, status, reason, at) "
                       "VALUES(?, ?, ?, ?, ?)",
                       job, row.token, expired ? outcome_status::expired : outcome_status::skipped,
                       expired ? "expired" : "cancelled", now);
    ++by_chunk[row.seq];
  }
  for (const auto& [seq, count] : by_chunk)
    database.execute("UPDATE chunks SET skipped = skipped + ?, expired = expired + ? "
                     "WHERE job = ? AND seq = ?",
                     expired ? 0 : count, expired ? count : 0, job, seq);
  more |= rows.size() == slice_retries;
  return rows.size();
}

bool has_open_chunk(connection& database, job_number job, std::int64_t chunks) {
  if (chunks <= few_chunks)
    return database.value("SELECT 1 FROM chunks WHERE job = ? AND status <> 3 LIMIT 1", job)
      .has_value();
  return database
    .value("SELECT 1 FROM jobs WHERE n = ?1 AND ("
           "EXISTS(SELECT 1 FROM chunks INDEXED BY chunks_leased WHERE status = 2 AND job = ?1) "
           "OR EXISTS(SELECT 1 FROM chunks INDEXED BY chunks_ready WHERE status = 1 "
           "AND lane = jobs.lane AND app = jobs.app AND pool IN (17, 18, 33) AND job = ?1))",
           job)
    .has_value();
}

} // namespace

job_counts sum_of_chunks(connection& database, job_number job) {
  auto found = database.query("SELECT SUM(accepted), SUM(rejected), SUM(unknown), SUM(expired), "
                              "SUM(skipped) FROM chunks WHERE job = ?",
                              job);
  found.next();
  return {found.integer(0), found.integer(1), found.integer(2), found.integer(3), found.integer(4)};
}

bool try_complete(connection& database, job_number job, timestamp now) {
  job_status status{};
  std::int64_t chunks = 0;
  {
    auto found = database.query("SELECT status, next_seq FROM jobs WHERE n = ? "
                                "AND completed_at IS NULL AND plan_done = 1",
                                job);
    if (!found.next())
      return false;
    status = found.as<job_status>(0);
    chunks = found.integer(1);
  }
  if (has_open_chunk(database, job, chunks))
    return false;
  const bool has_retries =
    database.value("SELECT 1 FROM retries WHERE job = ? LIMIT 1", job).has_value();
  if (has_retries) {
    if (check_transition(status, job_status::dispatched) == transition::apply)
      database.execute("UPDATE jobs SET status = ? WHERE n = ? AND status = ?",
                       job_status::dispatched, job, status);
    return false;
  }
  const bool moves = check_transition(status, job_status::completed) == transition::apply;
  if (!moves && !is_terminal(status))
    return false;
  write_completion(database, job, status, moves ? job_status::completed : status, now);
  return true;
}

closed_slice close_slice(connection& database, job_number job, timestamp now) {
  closing_job facts;
  {
    auto found = database.query("SELECT lane, app, status, receipts FROM jobs WHERE n = ? "
                                "AND completed_at IS NULL",
                                job);
    if (!found.next())
      return {};
    facts = {found.integer(0), found.integer(1), found.as<job_status>(2),
             found.as<receipts_policy>(3)};
  }
  if (!is_terminal(facts.status))
    return {};
  closed_slice slice;
  slice.targets = close_chunks(database, job, facts, slice.more) +
                  close_retries(database, job, facts, now, slice.more);
  if (!slice.more)
    try_complete(database, job, now);
  return slice;
}

} // namespace signalbox::sqlite
