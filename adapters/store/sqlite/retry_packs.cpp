#include "adapters/store/sqlite/retry_packs.hpp"

#include "adapters/store/sqlite/completion.hpp"
#include "adapters/store/sqlite/letters.hpp"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <tuple>
#include <utility>

namespace signalbox::sqlite {

std::optional<retry_pack> read_pack(connection& database, pack_number n) {
  auto found = database.query("SELECT job, lane, app, pool, run_at, written_at, size, entries "
                              "FROM retries WHERE n = ?",
                              n);
  if (!found.next())
    return std::nullopt;
  retry_pack pack;
  pack.n = n;
  pack.job = found.integer(0);
  pack.place = {found.integer(1), found.integer(2), static_cast<pool_code>(found.integer(3))};
  pack.run_at = found.time(4);
  pack.written_at = found.time(5);
  pack.size = static_cast<std::size_t>(std::max<std::int64_t>(0, found.integer(6)));
  auto entries = decode_retries(found.bytes(7));
  pack.is_damaged = !entries || entries->empty() || entries->size() != pack.size;
  if (!pack.is_damaged)
    pack.entries = std::move(*entries);
  return pack;
}

void insert_pack(connection& database, const retry_pack& pack) {
  const auto& [lane, app, pool] = pack.place;
  const auto entries = encode_retries(pack.entries);
  database.execute("INSERT INTO retries(job, lane, app, pool, run_at, written_at, size, entries) "
                   "VALUES(?, ?, ?, ?, ?, ?, ?, ?)",
                   pack.job, lane, app, pool, pack.run_at, pack.written_at, pack.entries.size(),
                   blob{entries});
}

void rewrite_pack(connection& database, const retry_pack& pack) {
  if (pack.entries.empty())
    return delete_pack(database, pack.n);
  const auto entries = encode_retries(pack.entries);
  database.execute("UPDATE retries SET size = ?, entries = ? WHERE n = ?", pack.entries.size(),
                   blob{entries}, pack.n);
}

void delete_pack(connection& database, pack_number n) {
  database.execute("DELETE FROM retries WHERE n = ?", n);
}

void postpone_pack(connection& database, pack_number n, timestamp run_at, timestamp written_at) {
  database.execute("UPDATE retries SET run_at = ?, written_at = ? WHERE n = ?", run_at, written_at,
                   n);
}

bool has_retries(connection& database, job_number job) {
  return database.value("SELECT 1 FROM retries WHERE job = ? LIMIT 1", job).has_value();
}

void visit_packs(connection& database, job_number job,
                 const std::function<bool(pack_number)>& visit) {
  auto found = database.query("SELECT n FROM retries WHERE job = ? ORDER BY n DESC", job);
  while (found.next())
    if (!visit(found.integer(0)))
      return;
}

std::int64_t size_of_packs(connection& database, const std::vector<pack_number>& packs) {
  std::int64_t sum = 0;
  for (const auto n : packs)
    sum += database.value("SELECT size FROM retries WHERE n = ?", n).value_or(0);
  return sum;
}

void park_pack(connection& database, pack_number n) {
  database.execute("UPDATE retries SET parked = 1 WHERE n = ?", n);
}

std::size_t unpark_packs(connection& database, job_number job, pool_code pool, std::size_t limit) {
  return static_cast<std::size_t>(
    database.execute("UPDATE retries SET parked = 0 WHERE n IN (SELECT n FROM retries "
                     "INDEXED BY retries_parked WHERE parked = 1 AND job = ? AND pool = ? LIMIT ?)",
                     job, pool, limit));
}

std::optional<job_number> next_parked_job(connection& database, job_number after) {
  return database.value("SELECT job FROM retries INDEXED BY retries_parked WHERE parked = 1 "
                        "AND job > ? ORDER BY job LIMIT 1",
                        after);
}

void close_damaged(connection& database, const retry_pack& pack, timestamp now) {
  spdlog::error("event=retries_damaged job_number={} pack={} targets={}", pack.job, pack.n,
                pack.size);
  write_letter(database, {pack.job, 0, 0, 0, "corrupt", "the list of retries is damaged", now},
               pack.place);
  delete_pack(database, pack.n);
  job_counts counts;
  counts.rejected = static_cast<std::int64_t>(pack.size);
  count_retried(database, pack.job, counts);
}

} // namespace signalbox::sqlite
