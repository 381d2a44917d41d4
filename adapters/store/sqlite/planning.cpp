#include "adapters/store/sqlite/planning.hpp"

#include "actors/target_list.hpp"
#include "adapters/store/sqlite/plan_scope.hpp"

#include <algorithm>
#include <utility>

namespace signalbox::sqlite {

namespace {

// A call looks at so many jobs that are far enough ahead before it leaves the rest to the next.
constexpr int most_jobs_tried = 64;
// And passes by so many that wait for their turn.
constexpr int most_jobs_seen = 10'000;

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

// A dispatch whose rows are damaged fails before anything of it is sent.
std::optional<plan_step> read_step(connection& database, shared_state& shared,
                                   const planned_job& job, std::size_t chunk_size,
                                   std::size_t most_chunks) {
  try {
    return read_scope(database, shared, job, chunk_size, most_chunks);
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

} // namespace signalbox::sqlite
