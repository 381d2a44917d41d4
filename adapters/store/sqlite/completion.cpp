#include "adapters/store/sqlite/completion.hpp"

#include "actors/done_bits.hpp"
#include "actors/job_states.hpp"
#include "adapters/store/sqlite/activities.hpp"
#include "adapters/store/sqlite/open_chunk.hpp"
#include "adapters/store/sqlite/parking.hpp"
#include "adapters/store/sqlite/receipts.hpp"
#include "adapters/store/sqlite/retry_packs.hpp"
#include "adapters/store/sqlite/states.hpp"
#include "adapters/store/sqlite/turns.hpp"
#include "messages/outcome.hpp"

#include <cstdint>
#include <string_view>
#include <utility>
#include <vector>

namespace signalbox::sqlite {

namespace {

// Looking at so many chunks is cheaper than at two indexes.
constexpr std::int64_t few_chunks = 4;
constexpr std::size_t slice_retries = 1'000;
// The row of `chunks` that has a job's ended retries: behind all of its chunks, without targets.
constexpr std::uint32_t retried_seq = UINT32_MAX;

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
  bool tells_each = false; ///< a receipt also for targets that were never tried
};

// What becomes of a closed job's target: *unknown* if its request may have left.
outcome_status end_of(const closing_job& job, bool is_sent) {
  if (is_sent)
    return outcome_status::unknown;
  return job.status == job_status::expired ? outcome_status::expired : outcome_status::skipped;
}

std::string_view reason_of(const closing_job& job, outcome_status status) {
  return status == outcome_status::unknown ? "no_answer" : end_reason(job.status);
}

class closer {
public:
  closer(connection& database, job_number job, const closing_job& facts, timestamp now)
    : database_{database}, job_{job}, facts_{facts}, now_{now} {}

  std::size_t close_chunks(bool& more) {
    struct ready_chunk {
      std::uint32_t seq;
      pool_code pool;
      std::size_t left;
      std::vector<token_id> unanswered;
      std::vector<token_id> untried; ///< those that get a receipt
      std::optional<token_id> cut;   ///< the first that an update did not get to
    };
    std::vector<ready_chunk> ready;
    const auto most = facts_.tells_each ? 1 : slice_chunks;
    {
      auto found = database_.query(
        "SELECT ids, targets, done, sent, seq, pool FROM chunks INDEXED BY chunks_ready "
        "WHERE status = 1 AND lane = ? AND app = ? AND pool IN (17, 18, 33) AND job = ? LIMIT ?",
        facts_.lane, facts_.app, job_, most);
      while (found.next()) {
        const done_bits bits{static_cast<std::size_t>(found.integer(1)), found.bytes(2)};
        ready.push_back({static_cast<std::uint32_t>(found.integer(4)),
                         static_cast<pool_code>(found.integer(5)),
                         bits.missing(),
                         {},
                         {},
                         {}});
        const bool is_cut = facts_.status == job_status::superseded;
        if (found.is_null(3) && !is_cut && !facts_.tells_each)
          continue;
        for (const auto& one : open_targets(found).value_or(std::vector<open_target>{})) {
          if (one.is_sent)
            ready.back().unanswered.push_back(one.id);
          else if (facts_.tells_each)
            ready.back().untried.push_back(one.id);
          else if (is_cut && !ready.back().cut)
            ready.back().cut = one.id;
        }
      }
    }
    std::size_t targets = 0;
    for (const auto& chunk : ready) {
      for (const auto token : chunk.unanswered)
        note_end(chunk.pool, token, outcome_status::unknown);
      for (const auto token : chunk.untried)
        note_end(chunk.pool, token, end_of(facts_, false));
      const auto unknown = chunk.unanswered.size();
      if (chunk.cut)
        note_cut(database_, job_, chunk.pool, chunk.seq, *chunk.cut);
      count(chunk.seq, end_of(facts_, false), chunk.left - unknown, unknown);
      database_.execute("UPDATE chunks SET status = 3, done = NULL, sent = NULL, ids = NULL "
                        "WHERE job = ? AND seq = ?",
                        job_, chunk.seq);
      targets += chunk.left;
    }
    receipts_.finish();
    more |= ready.size() == most;
    return targets;
  }

  std::size_t close_retries(const retry_leases& leases, bool& more) {
    std::vector<retry_pack> packs;
    std::size_t targets = 0;
    visit_packs(database_, job_, [&](pack_number n) {
      if (leases.is_leased(n))
        return true;
      if (auto pack = read_pack(database_, n)) {
        targets += pack->size;
        packs.push_back(std::move(*pack));
      }
      return targets < slice_retries;
    });
    job_counts counts;
    for (const auto& pack : packs)
      close_pack(pack, counts);
    receipts_.finish();
    if (counts.finished() > 0)
      count_retried(database_, job_, counts);
    more |= targets >= slice_retries;
    return targets;
  }

private:
  void close_pack(const retry_pack& pack, job_counts& counts) {
    if (pack.is_damaged)
      return close_damaged(database_, pack, now_);
    delete_pack(database_, pack.n);
    for (const auto& one : pack.entries) {
      const auto end = end_of(facts_, one.is_sent);
      note_end(std::get<pool_code>(pack.place), one.token, end);
      ++(end == outcome_status::unknown   ? counts.unknown
         : end == outcome_status::expired ? counts.expired
                                          : counts.skipped);
    }
  }

  void note_end(pool_code pool, token_id token, outcome_status status) {
    if (facts_.receipts != receipts_policy::none)
      receipts_.write(job_, token, status, reason_of(facts_, status), now_, pool);
  }

  void count(std::uint32_t seq, outcome_status status, std::size_t targets, std::size_t unknown) {
    const bool expired = status == outcome_status::expired;
    database_.execute("UPDATE chunks SET skipped = skipped + ?, expired = expired + ?, "
                      "unknown = unknown + ? WHERE job = ? AND seq = ?",
                      expired ? 0 : targets, expired ? targets : 0, unknown, job_, seq);
  }

  connection& database_;
  job_number job_;
  const closing_job& facts_;
  timestamp now_;
  receipt_writer receipts_{database_};
};

bool has_open_chunk(connection& database, job_number job, std::int64_t chunks) {
  if (chunks <= few_chunks)
    return database.value("SELECT 1 FROM chunks WHERE job = ? AND status <> 3 LIMIT 1", job)
      .has_value();
  return database
    .value("SELECT 1 FROM jobs WHERE n = ?1 AND ("
           "EXISTS(SELECT 1 FROM chunks INDEXED BY chunks_leased WHERE status = 2 AND job = ?1) "
           "OR EXISTS(SELECT 1 FROM chunks INDEXED BY chunks_ready WHERE status = 1 "
           "AND lane = jobs.lane AND app = jobs.app AND pool IN (17, 18, 33) AND job = ?1) "
           "OR EXISTS(SELECT 1 FROM chunks INDEXED BY chunks_parked WHERE status = 4 "
           "AND job = ?1))",
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

void count_retried(connection& database, job_number job, const job_counts& counts) {
  database.execute(
    "INSERT INTO chunks(job, seq, status, lane, app, pool, targets, accepted, "
    "rejected, unknown, expired, skipped) VALUES(?, ?, ?, 0, 0, 0, 0, ?, ?, ?, ?, ?) "
    "ON CONFLICT(job, seq) DO UPDATE SET accepted = accepted + excluded.accepted, "
    "rejected = rejected + excluded.rejected, unknown = unknown + excluded.unknown, "
    "expired = expired + excluded.expired, skipped = skipped + excluded.skipped",
    job, retried_seq, chunk_status::done, counts.accepted, counts.rejected, counts.unknown,
    counts.expired, counts.skipped);
}

bool try_complete(connection& database, job_number job, timestamp now) {
  job_status status{};
  std::int64_t chunks = 0;
  bool is_dispatch = false;
  {
    auto found = database.query("SELECT status, next_seq, scope_kind FROM jobs WHERE n = ? "
                                "AND completed_at IS NULL AND plan_done = 1",
                                job);
    if (!found.next())
      return false;
    status = found.as<job_status>(0);
    chunks = found.integer(1);
    is_dispatch = found.as<scope_kind>(2) == scope_kind::activity;
  }
  if (has_open_chunk(database, job, chunks))
    return false;
  if (has_retries(database, job)) {
    if (check_transition(status, job_status::dispatched) == transition::apply)
      database.execute("UPDATE jobs SET status = ? WHERE n = ? AND status = ?",
                       job_status::dispatched, job, status);
    return false;
  }
  const bool moves = check_transition(status, job_status::completed) == transition::apply;
  if (!moves && !is_terminal(status))
    return false;
  const auto end = moves ? job_status::completed : status;
  write_completion(database, job, status, end, now);
  if (is_dispatch)
    finish_dispatch(database, job, end, now);
  return true;
}

namespace {

// `facts` say as what the targets end.
closed_slice close_unclaimed(connection& database, const retry_leases& leases, job_number job,
                             const closing_job& facts, timestamp now) {
  unpark_chunks(database, job);
  closer closer{database, job, facts, now};
  closed_slice slice;
  slice.targets = closer.close_chunks(slice.more);
  slice.targets += closer.close_retries(leases, slice.more);
  if (!slice.more)
    try_complete(database, job, now);
  return slice;
}

std::optional<closing_job> read_open(connection& database, job_number job) {
  auto found = database.query("SELECT lane, app, status, receipts FROM jobs WHERE n = ? "
                              "AND completed_at IS NULL",
                              job);
  if (!found.next())
    return std::nullopt;
  return closing_job{found.integer(0), found.integer(1), found.as<job_status>(2),
                     found.as<receipts_policy>(3)};
}

} // namespace

closed_slice close_slice(connection& database, const retry_leases& leases, job_number job,
                         timestamp now) {
  const auto facts = read_open(database, job);
  if (!facts || !is_terminal(facts->status))
    return {};
  return close_unclaimed(database, leases, job, *facts, now);
}

closed_slice expire_slice(connection& database, const retry_leases& leases, job_number job,
                          timestamp now) {
  auto facts = read_open(database, job);
  if (!facts || is_terminal(facts->status))
    return {};
  facts->status = job_status::expired;
  facts->tells_each = true;
  return close_unclaimed(database, leases, job, *facts, now);
}

} // namespace signalbox::sqlite
