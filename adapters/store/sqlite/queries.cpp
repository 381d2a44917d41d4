#include "adapters/store/sqlite/queries.hpp"

#include "adapters/store/sqlite/completion.hpp"
#include "adapters/store/sqlite/job_cache.hpp"
#include "adapters/store/sqlite/paging.hpp"

#include <algorithm>
#include <utility>

namespace signalbox::sqlite {

namespace {

template <class T>
result<T> no_such_job(const job_id& id) {
  return result<T>::failure(errc::not_found, "job " + id.to_string() + " does not exist");
}

std::optional<job_number> number_of(connection& database, app_id app, const job_id& id) {
  return database.value("SELECT n FROM jobs WHERE id = ? AND app = ?", id, app);
}

} // namespace

job_view view_of(const rows& found) {
  job_view view;
  view.id = found.id(1);
  view.lane = found.text(2);
  view.scope = found.as<scope_kind>(3);
  view.scope_name = found.text(4);
  view.status = found.as<job_status>(5);
  view.total = found.optional_integer(6);
  view.planned = found.integer(7);
  view.counts = {found.integer(8), found.integer(9), found.integer(10), found.integer(11),
                 found.integer(12)};
  view.created_at = found.time(13);
  view.not_before = found.optional_time(14);
  view.expires_at = found.optional_time(15);
  view.completed_at = found.optional_time(16);
  if (!found.is_null(17))
    view.replay_of = found.id(17);
  view.reference = found.text(18);
  return view;
}

result<job_view> read_job(connection& database, app_id app, const job_id& id) {
  return read_view(database, app, id);
}

result<job_view> read_view(connection& database, app_id app, const job_id& id) {
  auto found =
    database.query("SELECT " SIGNALBOX_JOB_COLUMNS " FROM jobs WHERE id = ? AND app = ?", id, app);
  if (!found.next())
    return no_such_job<job_view>(id);
  auto view = view_of(found);
  // The roll-up is exact once the job is complete; before, the chunks are.
  if (!view.completed_at)
    view.counts = sum_of_chunks(database, found.integer(0));
  return result<job_view>::success(std::move(view));
}

result<page_of<receipt_view>> read_receipts(connection& database, app_id app, const job_id& id,
                                            const page_request& page) {
  using answer = result<page_of<receipt_view>>;
  const auto job = number_of(database, app, id);
  if (!job)
    return no_such_job<page_of<receipt_view>>(id);
  auto found =
    database.query("SELECT r.token, r.status, r.reason, r.at, t.platform, t.token, r.pool, "
                   "r.unique_id FROM receipts r "
                   "LEFT JOIN tokens t ON t.id = r.token WHERE r.job = ? AND r.token > ? "
                   "ORDER BY r.token LIMIT ?",
                   *job, number_after(page, 0), page.limit + 1);
  const push_id_source ids{id};
  return answer::success(take_page<receipt_view>(
    found, page.limit,
    [&](const rows& row) {
      receipt_view view;
      view.status = row.as<outcome_status>(1);
      view.reason = row.text(2);
      view.at = row.time(3);
      if (!row.is_null(4))
        view.provider = row.as<platform>(4);
      else if (!row.is_null(6))
        view.provider = destination_of(app, static_cast<pool_code>(row.integer(6))).provider;
      view.token = row.text(5);
      if (view.provider == platform::apns)
        view.provider_id = ids.id_for(row.integer(0)).to_string();
      view.unique_id = row.text(7);
      return view;
    },
    [](const rows& row) { return std::to_string(row.integer(0)); }));
}

result<std::vector<reason_count>> read_reasons(connection& database, app_id app, const job_id& id) {
  const auto job = number_of(database, app, id);
  if (!job)
    return no_such_job<std::vector<reason_count>>(id);
  auto found = database.query("SELECT status, reason, count FROM receipt_counts "
                              "WHERE job = ? AND count > 0",
                              *job);
  std::vector<reason_count> counts;
  while (found.next())
    counts.push_back({found.as<outcome_status>(0), std::string{found.text(1)}, found.integer(2)});
  std::stable_sort(counts.begin(), counts.end(),
                   [](const auto& a, const auto& b) { return a.count > b.count; });
  return result<std::vector<reason_count>>::success(std::move(counts));
}

result<std::vector<lane_jobs>> count_open_jobs(connection& database) {
  auto found = database.query("SELECT lanes.name, counted.open FROM (SELECT lane, COUNT(*) AS open "
                              "FROM jobs INDEXED BY jobs_open WHERE completed_at IS NULL "
                              "GROUP BY lane) AS counted JOIN lanes ON lanes.id = counted.lane "
                              "ORDER BY 1");
  std::vector<lane_jobs> counts;
  while (found.next())
    counts.push_back({std::string{found.text(0)}, found.integer(1)});
  return result<std::vector<lane_jobs>>::success(std::move(counts));
}

} // namespace signalbox::sqlite
