#include "adapters/store/sqlite/job_candidates.hpp"

#include <algorithm>
#include <functional>

namespace signalbox::sqlite {

namespace {

// jobs_by_scope is led by blocks of so many bits of the number.
constexpr int block_bits = 12;

void take_numbers(rows&& found, job_candidates& into) {
  while (found.next())
    into.numbers.push_back(found.integer(0));
}

// Of a query that was asked for `limit` rows.
job_candidates all_of(rows&& found, std::size_t limit) {
  job_candidates taken;
  take_numbers(std::move(found), taken);
  taken.is_last = taken.numbers.size() < limit;
  return taken;
}

job_candidates by_scope(connection& database, const wanted_jobs& wanted, job_number before,
                        std::size_t limit) {
  job_candidates taken;
  taken.before = before;
  for (auto block = (before - 1) >> block_bits;; --block) {
    if (block < wanted.lowest >> block_bits) {
      taken.is_last = true;
      return taken;
    }
    const auto known = taken.numbers.size();
    take_numbers(database.query("SELECT n FROM jobs INDEXED BY jobs_by_scope WHERE n >> 12 = ? "
                                "AND scope_kind = ? AND scope_id = ? AND n < ? "
                                "ORDER BY n DESC LIMIT ?",
                                block, wanted.scope, wanted.scope_id, before, limit - known),
                 taken);
    taken.steps += taken.numbers.size() == known ? 1 : 0;
    if (taken.numbers.size() == limit) {
      taken.before = taken.numbers.back();
      return taken;
    }
    taken.before = block << block_bits;
    if (taken.steps == limit)
      return taken;
  }
}

std::vector<std::int64_t> lanes_of(connection& database, const wanted_jobs& wanted) {
  if (wanted.lane)
    return {*wanted.lane};
  std::vector<std::int64_t> lanes;
  auto found = database.query("SELECT id FROM lanes");
  while (found.next())
    lanes.push_back(found.integer(0));
  return lanes;
}

/// Of several queries for `limit` rows. Each gives its newest, and so the newest of all are among
/// them.
class merged {
public:
  explicit merged(std::size_t limit) : limit_{limit} { taken_.is_last = true; }

  void add(rows&& found) {
    const auto known = taken_.numbers.size();
    take_numbers(std::move(found), taken_);
    taken_.is_last = taken_.is_last && taken_.numbers.size() < known + limit_;
  }

  job_candidates take() {
    std::sort(taken_.numbers.begin(), taken_.numbers.end(), std::greater<>{});
    if (taken_.numbers.size() > limit_) {
      taken_.numbers.resize(limit_);
      taken_.is_last = false;
    }
    return std::move(taken_);
  }

private:
  std::size_t limit_;
  job_candidates taken_;
};

job_candidates open_ones(connection& database, const wanted_jobs& wanted, job_number before,
                         std::size_t limit) {
  merged all{limit};
  for (const auto lane : lanes_of(database, wanted))
    all.add(database.query("SELECT n FROM jobs INDEXED BY jobs_open "
                           "WHERE completed_at IS NULL AND lane = ? AND n < ? AND n >= ? "
                           "ORDER BY n DESC LIMIT ?",
                           lane, before, wanted.lowest, limit));
  return all.take();
}

// Those that ended otherwise than completed, or are about to.
job_candidates ended_ones(connection& database, const wanted_jobs& wanted, job_number before,
                          std::size_t limit) {
  merged all{limit};
  for (const auto lane : lanes_of(database, wanted))
    for (const bool is_closing : {false, true})
      all.add(database.query("SELECT n FROM jobs INDEXED BY jobs_ended WHERE status > 5 "
                             "AND lane = ? AND (completed_at IS NULL) = ? AND status = ? "
                             "AND n < ? AND n >= ? ORDER BY n DESC LIMIT ?",
                             lane, is_closing, wanted.status, before, wanted.lowest, limit));
  return all.take();
}

} // namespace

job_candidates next_candidates(connection& database, const wanted_jobs& wanted, job_number before,
                               std::size_t limit) {
  if (wanted.scope_id && !wanted.reference)
    return by_scope(database, wanted, before, limit);
  auto taken =
    wanted.reference
      ? all_of(database.query("SELECT job FROM job_references "
                              "WHERE app = ? AND reference = ? AND job < ? AND job >= ? "
                              "ORDER BY job DESC LIMIT ?",
                              wanted.app, wanted.reference, before, wanted.lowest, limit),
               limit)
    : wanted.status > job_status::completed ? ended_ones(database, wanted, before, limit)
    : wanted.due_before || (wanted.status && *wanted.status < job_status::completed)
      ? open_ones(database, wanted, before, limit)
      : all_of(database.query("SELECT n FROM jobs WHERE n < ? AND n >= ? ORDER BY n DESC LIMIT ?",
                              before, wanted.lowest, limit),
               limit);
  taken.before = taken.numbers.empty() ? before : taken.numbers.back();
  return taken;
}

job_number lowest_since(connection& database, timestamp since) {
  uuid first{}; // of the version 7: led by the milliseconds
  auto rest = static_cast<std::uint64_t>(since.time_since_epoch().count());
  for (int i = 5; i >= 0; --i, rest >>= 8)
    first.bytes[static_cast<std::size_t>(i)] = static_cast<std::uint8_t>(rest);
  // Where fewer are older, one that was committed before all of them may still be newer.
  return database
    .value("SELECT CASE WHEN count(*) = 4096 THEN min(n) ELSE 0 END FROM "
           "(SELECT n FROM jobs WHERE id < ? ORDER BY id DESC LIMIT 4096)",
           first)
    .value_or(0);
}

} // namespace signalbox::sqlite
