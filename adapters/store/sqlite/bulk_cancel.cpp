#include "adapters/store/sqlite/bulk_cancel.hpp"

#include "adapters/store/sqlite/parking.hpp"
#include "adapters/store/sqlite/states.hpp"

#include <algorithm>

namespace signalbox::sqlite {

namespace {

std::vector<std::pair<lane_number, std::string>> lanes_of(connection& database) {
  std::vector<std::pair<lane_number, std::string>> lanes;
  auto found = database.query("SELECT id, name FROM lanes");
  while (found.next())
    lanes.emplace_back(found.integer(0), std::string{found.text(1)});
  return lanes;
}

} // namespace

jobs_to_cancel find_open_jobs(connection& database, const work_rule& rule,
                              std::optional<timestamp> created_before) {
  jobs_to_cancel open;
  for (const auto& [number, name] : lanes_of(database)) {
    if (!rule.lane.empty() && rule.lane != name)
      continue;
    std::size_t count = 0;
    auto found = database.query("SELECT n, id, app, " SIGNALBOX_ADDRESSEE " FROM jobs "
                                "INDEXED BY jobs_open WHERE completed_at IS NULL AND lane = ?1 "
                                "AND status <= 4 AND (?2 IS NULL OR created_at < ?2) ORDER BY n",
                                number, created_before);
    while (count <= most_cancelled && found.next()) {
      const job_traits job{found.id(1), found.integer(2), name, found.as<scope_kind>(3),
                           std::string{found.text(4)}};
      if (!fits(rule, job))
        continue;
      open.jobs.push_back(found.integer(0));
      ++count;
    }
  }
  std::sort(open.jobs.begin(), open.jobs.end());
  open.more = open.jobs.size() > most_cancelled;
  open.jobs.resize(std::min(open.jobs.size(), most_cancelled));
  return open;
}

cancelled_jobs cancel_all(connection& database, const std::vector<job_number>& jobs) {
  cancelled_jobs cancelled;
  for (const auto job : jobs) {
    job_id id;
    auto status = job_status::completed;
    {
      auto found = database.query("SELECT id, status FROM jobs WHERE n = ?", job);
      if (!found.next())
        continue;
      id = found.id(0);
      status = found.as<job_status>(1);
    }
    if (end_job(database, job, status, job_status::cancelled) != transition::apply)
      continue;
    cancelled.jobs.push_back(job);
    cancelled.ids.push_back(id);
  }
  return cancelled;
}

} // namespace signalbox::sqlite
