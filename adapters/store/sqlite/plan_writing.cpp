#include "adapters/store/sqlite/chunk_cutter.hpp"
#include "adapters/store/sqlite/completion.hpp"
#include "adapters/store/sqlite/planning.hpp"
#include "adapters/store/sqlite/retry_packs.hpp"
#include "adapters/store/sqlite/states.hpp"
#include "adapters/store/sqlite/tokens.hpp"
#include "adapters/store/sqlite/turns.hpp"

#include <spdlog/spdlog.h>

#include <set>
#include <utility>

namespace signalbox::sqlite {

namespace {

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
