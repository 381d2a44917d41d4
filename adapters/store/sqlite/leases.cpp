#include "adapters/store/sqlite/leases.hpp"

#include "adapters/store/sqlite/clock.hpp"
#include "adapters/store/sqlite/completion.hpp"
#include "adapters/store/sqlite/letters.hpp"
#include "adapters/store/sqlite/open_chunk.hpp"
#include "adapters/store/sqlite/parking.hpp"
#include "adapters/store/sqlite/receipts.hpp"
#include "adapters/store/sqlite/retry_packs.hpp"
#include "adapters/store/sqlite/savepoint.hpp"
#include "messages/outcome.hpp"

#include <spdlog/spdlog.h>

#include <algorithm>

namespace signalbox::sqlite {

namespace {

// What cannot be written is tried again so much later.
constexpr std::chrono::minutes faulty_again{1};
// An owner whose renewal failed tries again well within this.
constexpr std::chrono::seconds longest_pause{5};

struct lapsed_chunk {
  job_number job = 0;
  std::uint32_t seq = 0;
  int expiries = 0;
  std::uint64_t epoch = 0;
};

// Whatever had no outcome ends as rejected, since this chunk keeps losing its owners; what may have
// left without an answer, and is not to be sent again, as unknown.
void dead_letter(connection& database, const lapsed_chunk& chunk, timestamp now) {
  std::optional<std::vector<open_target>> left;
  {
    auto found =
      database.query("SELECT ids, targets, done, sent FROM chunks WHERE job = ? AND seq = ?",
                     chunk.job, chunk.seq);
    if (!found.next())
      return;
    left = open_targets(found);
  }
  if (!left)
    return close_damaged(database, chunk.job, chunk.seq, now);
  const auto pool =
    database.value("SELECT pool FROM chunks WHERE job = ? AND seq = ?", chunk.job, chunk.seq);
  const auto policy = database.value("SELECT receipts FROM jobs WHERE n = ?", chunk.job);
  std::int64_t unknown = 0;
  receipt_writer receipts{database};
  for (const auto& one : *left) {
    unknown += one.is_sent ? 1 : 0;
    if (!one.is_sent)
      write_letter(database, {chunk.job, chunk.seq, one.id, 0, "lease_lost", {}, now});
    if (policy != static_cast<std::int64_t>(receipts_policy::none))
      receipts.write(chunk.job, one.id,
                     one.is_sent ? outcome_status::unknown : outcome_status::rejected,
                     one.is_sent ? "no_answer" : "lease_lost", now, static_cast<pool_code>(*pool));
  }
  receipts.finish();
  database.execute("UPDATE chunks SET status = 3, rejected = rejected + ?, unknown = unknown + ?, "
                   "done = NULL, sent = NULL, ids = NULL, epoch = NULL WHERE job = ? AND seq = ?",
                   static_cast<std::int64_t>(left->size()) - unknown, unknown, chunk.job,
                   chunk.seq);
  try_complete(database, chunk.job, now);
}

std::optional<job_status> job_status_of(connection& database, job_number job) {
  const auto status = database.value("SELECT status FROM jobs WHERE n = ?", job);
  return status ? std::optional{static_cast<job_status>(*status)} : std::nullopt;
}

bool is_paused(connection& database, const shared_state& shared, job_number job,
               std::uint32_t seq) {
  const auto pool = database.value("SELECT pool FROM chunks WHERE job = ? AND seq = ?", job, seq);
  const auto traits = traits_of(database, job);
  return pool && traits && shared.pauses.covers(*traits, static_cast<pool_code>(*pool));
}

// Owners that are alive would have renewed their leases, had the store let them: what they have
// under way would be sent twice.
bool is_store_late(const shared_state& shared, const writer_state& state, timestamp now) {
  const auto failed_at = state.renewal_failed_at;
  return shared.renewals_waiting > 0 || (now >= failed_at && now < failed_at + longest_pause);
}

// False if the database refuses this row: others may do. The lease ends in its time.
template <class Write>
bool spare_others(connection& database, job_number job, const lease_ref& lease, Write write) {
  bool has_changed = false;
  if (const auto error = try_statement(database, [&] { has_changed = write(); }))
    spdlog::error("event=lease_not_written job_number={} seq={} error={:?}", job, lease.key.seq,
                  *error);
  return has_changed;
}

bool renew_one(connection& database, shared_state& shared, job_number job, const lease_ref& lease,
               timestamp expires_at) {
  if (lease.kind == work_kind::chunk)
    return spare_others(database, job, lease, [&] {
      return database.execute("UPDATE chunks SET lease_expires_at = ? WHERE job = ? AND seq = ? "
                              "AND status = 2 AND owner = ? AND epoch = ?",
                              expires_at, job, lease.key.seq, shared.owner, lease.epoch) > 0;
    });
  return shared.retry_leases.renew(job, lease.epoch, expires_at);
}

bool release_one(connection& database, shared_state& shared, job_number job,
                 const lease_ref& lease) {
  if (lease.kind == work_kind::chunk)
    return spare_others(database, job, lease, [&] {
      return database.execute("UPDATE chunks SET status = 1, owner = NULL, epoch = NULL, "
                              "lease_expires_at = NULL WHERE job = ? AND seq = ? AND status = 2 "
                              "AND owner = ? AND epoch = ?",
                              job, lease.key.seq, shared.owner, lease.epoch) > 0;
    });
  return shared.retry_leases.release(job, lease.epoch);
}

std::optional<held_lease> find_held_retries(connection& database, const shared_state& shared,
                                            held_lease held) {
  auto& work = held.work;
  const auto lease = shared.retry_leases.find(work.job, work.epoch);
  if (!lease)
    return std::nullopt;
  const auto [lane, app, pool] = lease->place;
  work.dest = destination_of(app, pool);
  held.left = lease->expires_at - shared.now();
  for (const auto n : packs_of(*lease->targets))
    if (const auto pack = read_pack(database, n))
      for (const auto& one : pack->entries)
        work.retries.push_back({one, n});
  return held;
}

} // namespace

void void_leases(connection& database) {
  database.execute("UPDATE chunks INDEXED BY chunks_leased SET status = 1, owner = NULL, "
                   "epoch = NULL, lease_expires_at = NULL WHERE status = 2");
}

std::size_t expire_leases(connection& database, shared_state& shared, writer_state& state,
                          timestamp now) {
  if (now < state.next_lease_expiry || is_store_late(shared, state, now))
    return 0;
  std::size_t faulty = 0;
  std::vector<lapsed_chunk> lapsed;
  auto next = timestamp::max();
  {
    // All leases there are: as many as credit allows.
    auto found = database.query("SELECT job, seq, expiries, lease_expires_at, epoch FROM chunks "
                                "INDEXED BY chunks_leased WHERE status = 2");
    while (found.next()) {
      if (const auto end = found.time(3); end > now)
        next = std::min(next, end);
      else
        lapsed.push_back({found.integer(0), static_cast<std::uint32_t>(found.integer(1)),
                          static_cast<int>(found.integer(2)),
                          static_cast<std::uint64_t>(found.integer(4))});
    }
  }
  for (const auto& chunk : lapsed) {
    const auto loading = shared.loading.find({chunk.job, chunk.epoch});
    const auto error = try_part(database, [&] {
      if (loading)
        database.execute("UPDATE chunks SET lease_expires_at = ? WHERE job = ? AND seq = ?",
                         now + *loading, chunk.job, chunk.seq);
      else if (chunk.expiries + 1 >= most_expiries)
        dead_letter(database, chunk, now);
      else
        database.execute("UPDATE chunks SET status = 1, owner = NULL, epoch = NULL, "
                         "lease_expires_at = NULL, expiries = expiries + 1 "
                         "WHERE job = ? AND seq = ?",
                         chunk.job, chunk.seq);
    });
    if (loading)
      next = std::min(next, now + *loading);
    if (!error)
      continue;
    ++faulty;
    spdlog::error("event=lease_not_expired job_number={} seq={} error={:?}", chunk.job, chunk.seq,
                  *error);
    next = std::min(next, now + faulty_again);
  }
  for (const auto& [work, lease] : shared.loading.all())
    shared.retry_leases.renew(work.first, work.second, now + lease);
  if (shared.retry_leases.expire(now))
    state.retry_cursors.clear();
  state.next_lease_expiry = std::min(next, shared.retry_leases.next_expiry());
  return faulty;
}

std::vector<renewed_lease> renew_leases(connection& database, shared_state& shared,
                                        writer_state& state, const std::vector<lease_ref>& leases,
                                        std::chrono::milliseconds lease) {
  follow_clock(database, shared, state, shared.now());
  std::vector<renewed_lease> renewed;
  renewed.reserve(leases.size());
  const auto expires_at = shared.now() + lease;
  for (const auto& one : leases) {
    renewed_lease answer{one, false, job_status::failed};
    if (const auto job = find_job(database, state, one.key.job)) {
      answer.held = renew_one(database, shared, *job, one, expires_at);
      answer.status = job_status_of(database, *job).value_or(job_status::failed);
      answer.paused = !shared.pauses.is_empty() && is_paused(database, shared, *job, one.key.seq);
    }
    renewed.push_back(answer);
  }
  state.next_lease_expiry = std::min(state.next_lease_expiry, expires_at);
  return renewed;
}

void release_leases(connection& database, shared_state& shared, writer_state& state,
                    const std::vector<lease_ref>& leases) {
  for (const auto& one : leases) {
    const auto job = find_job(database, state, one.key.job);
    if (job && release_one(database, shared, *job, one) && one.kind == work_kind::retry)
      state.retry_cursors.clear();
  }
}

std::optional<held_lease> find_held(connection& database, const shared_state& shared,
                                    const lease_ref& lease) {
  const auto job = database.value("SELECT n FROM jobs WHERE id = ?", lease.key.job);
  if (!job)
    return std::nullopt;
  held_lease held;
  held.work = {lease.kind, *job, lease.key, lease.epoch, {}, {}};
  if (lease.kind == work_kind::retry)
    return find_held_retries(database, shared, std::move(held));
  auto found = database.query("SELECT app, pool, lease_expires_at FROM chunks WHERE job = ? "
                              "AND seq = ? AND status = 2 AND epoch = ? AND owner = ?",
                              *job, lease.key.seq, lease.epoch, shared.owner);
  if (!found.next())
    return std::nullopt;
  held.work.dest = destination_of(found.integer(0), static_cast<pool_code>(found.integer(1)));
  held.left = found.time(2) - shared.now();
  return held;
}

std::chrono::milliseconds lease_margin(std::chrono::milliseconds lease) {
  return std::min(lease / 10, std::chrono::milliseconds{1'000});
}

} // namespace signalbox::sqlite
