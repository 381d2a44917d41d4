#include "adapters/store/sqlite/commit.hpp"
#include "adapters/store/sqlite/letter_office.hpp"
#include "adapters/store/sqlite/parking.hpp"
#include "adapters/store/sqlite/savepoint.hpp"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <map>
#include <utility>

namespace signalbox::sqlite {

namespace {

constexpr std::size_t most_in_chunk = 1'000;

using letters_by_job = std::map<job_number, std::vector<letter_ref>>;

letters_by_job group(const found_letters& found) {
  letters_by_job groups;
  for (const auto& one : found.letters)
    groups[one.job].push_back(one);
  return groups;
}

class replayer {
public:
  replayer(connection& database, shared_state& shared, writer_state& state)
    : database_{database}, state_{state}, now_{shared.now()} {}

  // Nothing if somebody else has replayed them all.
  std::optional<replayed_job> write(job_number source, const std::vector<letter_ref>& letters) {
    const auto traits = traits_of(database_, source);
    if (!traits)
      return std::nullopt;
    const auto id = make_uuid_v7(now_);
    const auto by_pool = mark(letters, id);
    if (by_pool.empty())
      return std::nullopt;
    const auto n = state_.next_job++;
    const auto lane = *database_.value("SELECT lane FROM jobs WHERE n = ?", source);
    std::uint32_t seq = 0;
    std::int64_t targets = 0;
    for (const auto& [pool, ids] : by_pool) {
      const std::span<const token_id> all{ids};
      for (std::size_t at = 0; at < all.size(); at += most_in_chunk)
        insert_chunk(database_, {n, seq++, lane, traits->app, pool,
                                 all.subspan(at, std::min(most_in_chunk, all.size() - at))});
      targets += static_cast<std::int64_t>(ids.size());
    }
    insert_job(n, id, source, targets, seq);
    return replayed_job{id, traits->id, traits->lane, targets};
  }

private:
  // The tokens of the letters that nobody has replayed, ascending.
  std::map<pool_code, std::vector<token_id>> mark(const std::vector<letter_ref>& letters,
                                                  const job_id& by) {
    std::map<pool_code, std::vector<token_id>> by_pool;
    for (const auto& one : letters)
      if (database_.execute("UPDATE dead_letters SET replayed_by = ? WHERE id = ? "
                            "AND replayed_by IS NULL",
                            by, one.id) > 0)
        by_pool[one.pool].push_back(one.token);
    for (auto& [pool, ids] : by_pool) {
      std::sort(ids.begin(), ids.end());
      ids.erase(std::unique(ids.begin(), ids.end()), ids.end());
    }
    return by_pool;
  }

  // The ttl counts from now; a deadline that was named counts while it is ahead.
  void insert_job(job_number n, const job_id& id, job_number source, std::int64_t targets,
                  std::uint32_t chunks) {
    job_context context;
    context.created_at = now_;
    {
      auto found = database_.query("SELECT ttl, expires_at FROM jobs WHERE n = ?", source);
      found.next();
      if (const auto ttl = found.optional_integer(0))
        context.options.ttl = std::chrono::seconds{*ttl};
      context.options.expires_at = found.optional_time(1);
    }
    if (context.options.expires_at && *context.options.expires_at <= now_)
      context.options.expires_at.reset();
    database_.execute(
      "INSERT INTO jobs(n, id, app, lane, status, plan_done, planned, next_seq, total, deadline, "
      "scope_kind, scope_id, scope_name, expires_at, ttl, receipts, on_unknown, created_at, "
      "replay_of, payload, reference) "
      "SELECT ?1, ?2, app, lane, 2, 1, ?3, ?4, ?3, ?5, scope_kind, scope_id, scope_name, ?6, ttl, "
      "receipts, on_unknown, ?7, id, payload, reference FROM jobs WHERE n = ?8",
      n, id, targets, chunks, context.deadline(), context.options.expires_at, now_, source);
    database_.execute("INSERT INTO job_references(app, reference, job) "
                      "SELECT app, reference, n FROM jobs WHERE n = ? AND reference IS NOT NULL",
                      n);
  }

  connection& database_;
  writer_state& state_;
  timestamp now_;
};

} // namespace

replay_result count_replay(connection& database, const found_letters& found) {
  replay_result counted;
  counted.more = found.more;
  for (const auto& [source, letters] : group(found)) {
    const auto traits = traits_of(database, source);
    if (!traits)
      continue;
    const auto targets = static_cast<std::int64_t>(letters.size());
    counted.jobs.push_back({std::nullopt, traits->id, traits->lane, targets});
    counted.targets += targets;
  }
  return counted;
}

replay_result write_replay(connection& database, shared_state& shared, writer_state& state,
                           const found_letters& found) {
  replay_result written;
  written.more = found.more;
  replayer replayer{database, shared, state};
  for (const auto& of_job : group(found)) {
    std::optional<replayed_job> made;
    if (const auto error =
          try_part(database, [&] { made = replayer.write(of_job.first, of_job.second); }))
      spdlog::error("event=job_not_replayed job_number={} error={:?}", of_job.first, *error);
    else if (made) {
      written.targets += made->targets;
      written.jobs.push_back(std::move(*made));
    }
  }
  return written;
}

} // namespace signalbox::sqlite
