#include "adapters/store/sqlite/planning.hpp"

#include "actors/target_list.hpp"
#include "adapters/store/sqlite/activity_targets.hpp"
#include "adapters/store/sqlite/completion.hpp"
#include "adapters/store/sqlite/retry_packs.hpp"
#include "adapters/store/sqlite/states.hpp"
#include "adapters/store/sqlite/tokens.hpp"
#include "adapters/store/sqlite/turns.hpp"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <iterator>
#include <map>
#include <set>
#include <utility>

namespace signalbox::sqlite {

namespace {

// A call looks at so many jobs that are far enough ahead before it leaves the rest to the next.
constexpr int most_jobs_tried = 64;
// And passes by so many that wait for their turn.
constexpr int most_jobs_seen = 10'000;
constexpr std::int64_t finished = -1;

struct planned_job {
  job_number n = 0;
  lane_number lane = 0;
  app_id app = default_app;
  scope_kind kind = scope_kind::topic;
  std::int64_t scope_id = 0;
  std::string scope_name;
  plan_cursor cursor;
};

std::optional<planned_job> next_job(connection& database, lane_number lane, job_number after) {
  auto found =
    database.query("SELECT n, app, scope_kind, scope_id, plan_cursor, scope_name FROM jobs "
                   "INDEXED BY jobs_to_plan WHERE plan_done = 0 AND status IN (2, 3) "
                   "AND lane = ? AND n > ? ORDER BY n LIMIT 1",
                   lane, after);
  if (!found.next())
    return std::nullopt;
  return planned_job{found.integer(0),
                     lane,
                     found.integer(1),
                     found.as<scope_kind>(2),
                     found.integer(3),
                     std::string{found.text(5)},
                     plan_cursor::from(found.bytes(4))};
}

std::size_t unclaimed(connection& database, const planned_job& job, pool_code pool) {
  return static_cast<std::size_t>(
    *database.value("SELECT (SELECT COUNT(*) FROM chunks INDEXED BY chunks_ready WHERE status = 1 "
                    "AND lane = ?1 AND app = ?2 AND pool = ?3 AND job = ?4) + "
                    "(SELECT COUNT(*) FROM chunks INDEXED BY chunks_parked WHERE status = 4 "
                    "AND job = ?4 AND pool = ?3)",
                    job.lane, job.app, pool, job.n));
}

// Cuts what was read of a job into chunks, a pool at a time.
class chunk_cutter {
public:
  chunk_cutter(plan_step& step, std::size_t chunk_size) : step_{step}, chunk_size_{chunk_size} {}

  void add(pool_code pool, token_id id) {
    auto& open = open_[pool];
    open.push_back(id);
    if (open.size() == chunk_size_)
      close(pool, open);
  }

  void close_all() {
    for (auto& [pool, open] : open_)
      if (!open.empty())
        close(pool, open);
  }

private:
  void close(pool_code pool, std::vector<token_id>& open) {
    std::sort(open.begin(), open.end());
    step_.chunks.push_back({pool, std::exchange(open, {}), false});
  }

  plan_step& step_;
  std::size_t chunk_size_;
  std::map<pool_code, std::vector<token_id>> open_;
};

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
    step_.to.at.fill(finished);
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
      if (step_.to.at[i] == finished)
        continue;
      const auto waiting = chunks_ahead(all_pools[i]);
      if (waiting >= plan_ahead_chunks)
        continue;
      has_read = true;
      const auto chunks =
        std::min(plan_ahead_chunks - waiting, std::max<std::size_t>(1, most_chunks_ / open));
      read_pool(i, chunks);
      step_.job_has_more |= step_.to.at[i] != finished && waiting + chunks < plan_ahead_chunks;
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
    step_.to.at[i] = count < limit ? finished : step_.chunks.back().ids.back();
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
      if (place == finished)
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
      step_.job_has_more |= place != finished;
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

std::vector<plan_step::chunk> chunks_of_inline(connection& database, const plan_step& step,
                                               timestamp now, std::size_t chunk_size) {
  plan_step cut;
  chunk_cutter cutter{cut, chunk_size};
  std::set<token_id> seen;
  for (const auto& token : step.inline_tokens) {
    const auto row = name_token(database, {step.app, token.provider, token.env, token.token}, now);
    if (seen.insert(row.id).second)
      cutter.add(row.pool, row.id);
  }
  cutter.close_all();
  return std::move(cut.chunks);
}

// They wait as retries of a chunk that has handed all of them over.
void insert_deferred(connection& database, const new_chunk& chunk, timestamp now) {
  database.execute("INSERT INTO chunks(job, seq, status, lane, app, pool, targets) "
                   "VALUES(?, ?, 3, ?, ?, ?, ?)",
                   chunk.job, chunk.seq, chunk.lane, chunk.app, chunk.pool, chunk.ids.size());
  retry_pack pack;
  pack.job = chunk.job;
  pack.place = {chunk.lane, chunk.app, chunk.pool};
  pack.run_at = now + straggler_look;
  pack.written_at = now;
  for (std::uint32_t i = 0; i < chunk.ids.size(); ++i) {
    pack.entries.push_back({chunk.ids[i], chunk.seq, i});
    if (pack.entries.size() < most_in_pack && i + 1 < chunk.ids.size())
      continue;
    insert_pack(database, pack);
    pack.entries.clear();
  }
}

std::size_t write_step(connection& database, const plan_step& step, timestamp now,
                       std::size_t chunk_size) {
  std::uint32_t seq = 0;
  std::int64_t planned = 0;
  {
    auto found = database.query("SELECT plan_cursor, next_seq, planned FROM jobs WHERE n = ? "
                                "AND plan_done = 0 AND status IN (2, 3)",
                                step.job);
    if (!found.next() || plan_cursor::from(found.bytes(0)) != step.from)
      return 0;
    seq = static_cast<std::uint32_t>(found.integer(1));
    planned = found.integer(2);
  }
  if (step.is_damaged) {
    spdlog::error("event=job_scope_damaged job_number={}", step.job);
    const auto status = database.value("SELECT status FROM jobs WHERE n = ?", step.job);
    end_job(database, step.job, static_cast<job_status>(*status), job_status::failed);
    return 0;
  }
  const auto made = step.inline_tokens.empty() ? std::vector<plan_step::chunk>{}
                                               : chunks_of_inline(database, step, now, chunk_size);
  std::size_t written = 0;
  for (const auto* chunks : {&step.chunks, &made}) {
    for (const auto& chunk : *chunks) {
      const new_chunk row{step.job, seq++, step.lane, step.app, chunk.pool, chunk.ids};
      if (chunk.is_deferred)
        insert_deferred(database, row, now);
      else
        insert_chunk(database, row);
      planned += static_cast<std::int64_t>(chunk.ids.size());
      ++written;
    }
  }
  const bool is_finished = step.to.is_finished();
  database.execute("UPDATE jobs SET plan_cursor = ?, next_seq = ?, planned = ?, plan_done = ?, "
                   "total = ? WHERE n = ?",
                   blob{step.to.bytes()}, seq, planned, is_finished,
                   is_finished ? std::optional{planned} : std::nullopt, step.job);
  if (is_finished) {
    database.execute("DELETE FROM job_scopes WHERE job = ?", step.job);
    try_complete(database, step.job, now);
  }
  return written;
}

// A dispatch whose rows are damaged fails before anything of it is sent.
std::optional<plan_step> read_step(connection& database, shared_state& shared,
                                   const planned_job& job, std::size_t chunk_size,
                                   std::size_t most_chunks) {
  try {
    return step_reader{database, shared, job, chunk_size, most_chunks}.read();
  } catch (const failure& error) {
    if (!error.is_about_rows())
      throw;
    plan_step damaged;
    damaged.job = job.n;
    damaged.lane = job.lane;
    damaged.app = job.app;
    damaged.from = damaged.to = job.cursor;
    damaged.is_damaged = true;
    return damaged;
  }
}

void note_superseded(connection& database, const shared_state& shared,
                     const std::vector<job_number>& jobs, written_plan& written) {
  for (const auto job : jobs) {
    auto found = database.query("SELECT id FROM jobs WHERE n = ?", job);
    if (found.next())
      written.result.superseded.push_back(found.id(0));
    written.ended.push_back(job);
  }
  // At once as much as is planned ahead, so that the next one need not wait for it.
  for (const auto job : jobs)
    for (std::size_t closed = 0; closed < all_pools.size() * plan_ahead_chunks;
         closed += slice_chunks)
      if (!close_slice(database, shared.retry_leases, job, shared.now()).more)
        break;
}

// What is next may have changed since it was read.
void take_turn(connection& database, const shared_state& shared, const plan_step& step,
               written_plan& written) {
  const auto now = shared.now();
  const auto status = database.value("SELECT status FROM jobs WHERE n = ? AND plan_done = 0 "
                                     "AND status IN (2, 3)",
                                     step.job);
  if (!status)
    return;
  const auto end = [&](job_status to) {
    if (end_job(database, step.job, static_cast<job_status>(*status), to) == transition::apply)
      note_superseded(database, shared, {step.job}, written);
  };
  switch (next_move(database, step.job, now)) {
  case turn_move::begin:
    note_superseded(database, shared, begin_turn(database, step.job, now), written);
    break;
  case turn_move::give_up:
    end(job_status::superseded);
    break;
  case turn_move::fail:
    fail_dispatch(database, shared.retry_leases, step.job, now);
    break;
  default:
    break;
  }
}

} // namespace

std::string plan_cursor::bytes() const {
  std::string bytes;
  for (const auto place : at)
    append_varint(bytes, static_cast<std::uint64_t>(place + 1));
  if (std::any_of(first.begin(), first.end(), [](auto token) { return token != 0; }))
    for (const auto token : first)
      append_varint(bytes, static_cast<std::uint64_t>(token));
  return bytes;
}

plan_cursor plan_cursor::from(std::string_view bytes) {
  plan_cursor cursor;
  for (auto& place : cursor.at)
    place = static_cast<std::int64_t>(take_varint(bytes).value_or(1)) - 1;
  for (auto& token : cursor.first)
    token = static_cast<token_id>(take_varint(bytes).value_or(0));
  return cursor;
}

bool plan_cursor::is_finished() const {
  return std::all_of(at.begin(), at.end(), [](auto place) { return place == finished; });
}

plan_reading read_plan_steps(connection& database, shared_state& shared,
                             const std::string& lane_name, job_number after,
                             std::size_t chunk_size) {
  plan_reading reading{{}, after, false};
  const auto lane = shared.lanes.find(database, lane_name);
  if (!lane)
    return reading;
  auto& [steps, last, is_cut_short] = reading;
  job_number first_seen = 0;
  std::size_t chunks = 0;
  int tried = 0;
  // A job may need a chunk for each pool.
  for (int seen = 0; chunks + all_pools.size() < plan_step_chunks; ++seen) {
    auto job = next_job(database, *lane, last);
    if (!job && last != 0)
      job = next_job(database, *lane, 0);
    if (!job || job->n == first_seen)
      return reading;
    if (seen == most_jobs_seen)
      return reading; // the next hint goes on from here
    if (tried == most_jobs_tried)
      break;
    if (first_seen == 0)
      first_seen = job->n;
    last = job->n;
    if (shared.waits.is_waiting(job->n, shared.now()))
      continue;
    ++tried;
    auto step = read_step(database, shared, *job, chunk_size, plan_step_chunks - chunks);
    if (!step) {
      if (job->kind == scope_kind::activity)
        shared.waits.wait(job->n, job->scope_name, shared.now());
      continue;
    }
    chunks += step->chunks.size();
    steps.push_back(std::move(*step));
    if (!steps.back().inline_tokens.empty())
      break; // the most writing that a step may be
  }
  is_cut_short = steps.empty();
  return reading;
}

written_plan write_plan_steps(connection& database, shared_state& shared,
                              const std::vector<plan_step>& steps, std::size_t chunk_size) {
  written_plan written;
  auto& result = written.result;
  for (const auto& step : steps) {
    if (step.takes_turn)
      take_turn(database, shared, step, written);
    else
      result.chunks += write_step(database, step, shared.now(), chunk_size);
    result.more |= step.job_has_more;
  }
  result.more =
    result.more ||
    database.value("SELECT 1 FROM jobs INDEXED BY jobs_to_plan WHERE plan_done = 0 "
                   "AND status IN (2, 3) AND lane = ?1 AND n > ?2 "
                   "UNION ALL SELECT 1 FROM jobs INDEXED BY jobs_to_plan WHERE plan_done = 0 "
                   "AND status IN (2, 3) AND lane = ?1 AND n < ?3 LIMIT 1",
                   steps.front().lane, steps.back().job, steps.front().job);
  return written;
}

} // namespace signalbox::sqlite
