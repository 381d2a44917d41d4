#include "adapters/store/sqlite/plan_scope.hpp"

#include "actors/target_list.hpp"
#include "adapters/store/sqlite/activity_targets.hpp"
#include "adapters/store/sqlite/chunk_cutter.hpp"
#include "adapters/store/sqlite/turns.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

namespace signalbox::sqlite {

namespace {

std::size_t unclaimed(connection& database, const planned_job& job, pool_code pool) {
  return static_cast<std::size_t>(
    *database.value("SELECT (SELECT COUNT(*) FROM chunks INDEXED BY chunks_ready WHERE status = 1 "
                    "AND lane = ?1 AND app = ?2 AND pool = ?3 AND job = ?4) + "
                    "(SELECT COUNT(*) FROM chunks INDEXED BY chunks_parked WHERE status = 4 "
                    "AND job = ?4 AND pool = ?3)",
                    job.lane, job.app, pool, job.n));
}

class step_reader {
public:
  step_reader(connection& database, shared_state& shared, const planned_job& job,
              std::size_t chunk_size, std::size_t most_chunks)
    : database_{database}, shared_{shared}, job_{job}, chunk_size_{chunk_size}, most_chunks_{
                                                                                  most_chunks} {
    step_.job = job.n;
    step_.lane = job.lane;
    step_.app = job.app;
    step_.from = step_.to = job.cursor;
  }

  // Nothing if the job is as far ahead as it may be.
  std::optional<plan_step> read() {
    switch (job_.kind) {
    case scope_kind::topic:
      return read_topic();
    case scope_kind::user:
      return has_room() ? read_user() : std::nullopt;
    case scope_kind::users:
      return has_room() ? read_users() : std::nullopt;
    case scope_kind::tokens:
      return has_room() ? read_inline() : std::nullopt;
    case scope_kind::activity:
      return read_activity();
    default:
      return finish();
    }
  }

private:
  plan_step finish() {
    step_.to.at.fill(plan_cursor::finished);
    return std::move(step_);
  }

  bool has_room() {
    return std::all_of(all_pools.begin(), all_pools.end(),
                       [this](auto pool) { return chunks_ahead(pool) < plan_ahead_chunks; });
  }

  std::size_t chunks_ahead(pool_code pool) {
    if (shared_.ahead.is_full(job_.n, pool, shared_.now()))
      return plan_ahead_chunks;
    const auto count = unclaimed(database_, job_, pool);
    if (count >= plan_ahead_chunks)
      shared_.ahead.note_full(job_.n, pool, shared_.now());
    return count;
  }

  std::optional<plan_step> read_topic() {
    if (!database_.value("SELECT 1 FROM topics WHERE id = ?", job_.scope_id))
      return finish();
    // Every pool gets its part of the step, so that none waits for another one's end.
    const auto open = static_cast<std::size_t>(
      std::count_if(step_.to.at.begin(), step_.to.at.end(), [](auto at) { return at >= 0; }));
    bool has_read = false;
    for (std::size_t i = 0; i < all_pools.size(); ++i) {
      if (step_.to.at[i] == plan_cursor::finished)
        continue;
      const auto waiting = chunks_ahead(all_pools[i]);
      if (waiting >= plan_ahead_chunks)
        continue;
      has_read = true;
      const auto chunks =
        std::min(plan_ahead_chunks - waiting, std::max<std::size_t>(1, most_chunks_ / open));
      read_pool(i, chunks);
      step_.job_has_more |=
        step_.to.at[i] != plan_cursor::finished && waiting + chunks < plan_ahead_chunks;
    }
    return has_read ? std::optional{std::move(step_)} : std::nullopt;
  }

  void read_pool(std::size_t i, std::size_t chunks) {
    const auto limit = chunks * chunk_size_;
    auto found = database_.query("SELECT token FROM topic_tokens WHERE topic = ? AND pool = ? "
                                 "AND token > ? ORDER BY token LIMIT ?",
                                 job_.scope_id, all_pools[i], step_.to.at[i], limit);
    std::size_t count = 0;
    for (; found.next(); ++count) {
      if (count % chunk_size_ == 0) {
        step_.chunks.push_back({all_pools[i], {}, false});
        step_.chunks.back().ids.reserve(chunk_size_);
      }
      step_.chunks.back().ids.push_back(found.integer(0));
    }
    step_.to.at[i] = count < limit ? plan_cursor::finished : step_.chunks.back().ids.back();
  }

  std::size_t add_tokens_of(std::int64_t user, chunk_cutter& cutter) {
    auto found = database_.query("SELECT platform * 16 + environment, id FROM tokens "
                                 "WHERE user = ? AND kind = 0 AND invalidated_at IS NULL",
                                 user);
    std::size_t count = 0;
    for (; found.next(); ++count)
      cutter.add(static_cast<pool_code>(found.integer(0)), found.integer(1));
    return count;
  }

  std::optional<plan_step> read_user() {
    chunk_cutter cutter{step_, chunk_size_};
    add_tokens_of(job_.scope_id, cutter);
    cutter.close_all();
    return finish();
  }

  std::optional<plan_step> read_users() {
    std::vector<std::int64_t> users;
    {
      auto found = database_.query("SELECT list FROM job_scopes WHERE job = ?", job_.n);
      auto list = found.next() ? decode_targets(found.bytes(0)) : std::nullopt;
      step_.is_damaged = !list;
      users = std::move(list).value_or(std::vector<std::int64_t>{});
    }
    chunk_cutter cutter{step_, chunk_size_};
    // Each pool may end with a chunk that is not full.
    const auto most =
      (std::max(most_chunks_, all_pools.size() + 1) - all_pools.size()) * chunk_size_;
    std::size_t count = 0;
    auto it = std::upper_bound(users.begin(), users.end(), step_.to.at[0]);
    for (; it != users.end() && count < most; ++it) {
      count += add_tokens_of(*it, cutter);
      step_.to.at[0] = *it;
    }
    cutter.close_all();
    if (it == users.end())
      return finish();
    step_.job_has_more = true;
    return std::move(step_);
  }

  std::optional<plan_step> read_activity() {
    switch (next_move(database_, job_.n, shared_.now())) {
    case turn_move::wait:
      return std::nullopt;
    case turn_move::plan:
      return plan_activity();
    default:
      step_.takes_turn = true;
      step_.job_has_more = true;
      return std::move(step_);
    }
  }

  void defer_busy(pool_code pool, const std::vector<token_id>& busy, std::vector<token_id>& ids) {
    if (busy.empty())
      return;
    plan_step::chunk deferred{pool, {}, true};
    std::set_intersection(ids.begin(), ids.end(), busy.begin(), busy.end(),
                          std::back_inserter(deferred.ids));
    if (deferred.ids.empty())
      return;
    std::vector<token_id> free;
    std::set_difference(ids.begin(), ids.end(), busy.begin(), busy.end(), std::back_inserter(free));
    ids = std::move(free);
    step_.chunks.push_back(std::move(deferred));
  }

  std::optional<plan_step> plan_activity() {
    activity_audience audience{database_, job_.n, shared_.now()};
    bool has_read = false;
    for (std::size_t i = 0; i < all_pools.size(); ++i) {
      auto& place = step_.to.at[i];
      const auto pool = all_pools[i];
      if (place == plan_cursor::finished)
        continue;
      const auto turn = turn_in(database_, shared_.retry_leases, job_.n, pool, shared_.now());
      if (!turn.is_free)
        continue;
      if (chunks_ahead(pool) >= plan_ahead_chunks || step_.chunks.size() >= most_chunks_)
        continue;
      has_read = true;
      auto& first = step_.to.first[i];
      if (place == 0)
        first = first_token(database_, audience.activity(), pool);
      auto page = audience.read(pool, place, first, chunk_size_);
      place = page.next;
      step_.job_has_more |= place != plan_cursor::finished;
      defer_busy(pool, turn.busy, page.ids);
      // A page of whole users may be larger than a chunk.
      for (std::size_t at = 0; at < page.ids.size(); at += chunk_size_)
        step_.chunks.push_back({pool,
                                {page.ids.begin() + static_cast<std::ptrdiff_t>(at),
                                 page.ids.begin() + static_cast<std::ptrdiff_t>(std::min(
                                                      at + chunk_size_, page.ids.size()))}});
    }
    return has_read ? std::optional{std::move(step_)} : std::nullopt;
  }

  std::optional<plan_step> read_inline() {
    auto offset = static_cast<std::size_t>(step_.to.at[0]);
    std::size_t size = 0;
    {
      auto found = database_.query("SELECT list FROM job_scopes WHERE job = ?", job_.n);
      if (found.next()) {
        const auto list = found.bytes(0);
        size = list.size();
        step_.inline_tokens = decode_inline_tokens(list, offset, plan_step_inline);
      }
    }
    if (offset >= size)
      return finish();
    step_.to.at[0] = static_cast<std::int64_t>(offset);
    step_.job_has_more = true;
    return std::move(step_);
  }

  connection& database_;
  shared_state& shared_;
  const planned_job& job_;
  std::size_t chunk_size_;
  std::size_t most_chunks_;
  plan_step step_;
};

} // namespace

std::optional<plan_step> read_scope(connection& database, shared_state& shared,
                                    const planned_job& job, std::size_t chunk_size,
                                    std::size_t most_chunks) {
  return step_reader{database, shared, job, chunk_size, most_chunks}.read();
}

} // namespace signalbox::sqlite
