#include "adapters/store/sqlite/job_list.hpp"

#include "adapters/store/sqlite/completion.hpp"
#include "adapters/store/sqlite/job_candidates.hpp"
#include "adapters/store/sqlite/paging.hpp"
#include "adapters/store/sqlite/queries.hpp"

#include <algorithm>
#include <string>
#include <utility>

namespace signalbox::sqlite {

namespace {

constexpr std::size_t batch = 256;

class job_lister {
public:
  job_lister(connection& database, const wanted_jobs& wanted, const page_request& page,
             job_number before)
    : database_{database}, wanted_{wanted}, limit_{page.limit}, before_{before} {}

  page_of<job_view> read() {
    while (true) {
      const auto found = next_candidates(database_, wanted_, before_, std::min(batch, left_));
      for (const auto job : found.numbers)
        if (!take(job))
          return finish();
      if (found.is_last)
        return std::move(page_);
      before_ = found.before;
      if (!charge(found.steps))
        return finish();
    }
  }

private:
  // False when the page ends here: it is full or has cost enough.
  bool take(job_number job) {
    std::size_t cost = 1;
    {
      auto found = database_.query(
        "SELECT " SIGNALBOX_JOB_COLUMNS ", next_seq FROM jobs WHERE n = ?1 AND app = ?2 "
        "AND (?3 IS NULL OR status = ?3) AND (?4 IS NULL OR lane = ?4) "
        "AND (?5 IS NULL OR scope_id = ?5 AND scope_kind = ?6) "
        "AND (?7 IS NULL OR reference = ?7) AND (?8 IS NULL OR created_at >= ?8) "
        "AND (?9 IS NULL OR completed_at IS NULL AND max(created_at, ifnull(not_before, 0)) <= ?9)",
        job, wanted_.app, wanted_.status, wanted_.lane, wanted_.scope_id, wanted_.scope,
        wanted_.reference, wanted_.since, wanted_.due_before);
      if (found.next()) {
        if (page_.items.size() == limit_)
          return false;
        page_.items.push_back(view_of(found));
        if (auto& view = page_.items.back(); !view.completed_at) {
          view.counts = sum_of_chunks(database_, job);
          cost += static_cast<std::size_t>(found.integer(19));
        }
      }
    }
    before_ = job;
    return charge(cost);
  }

  bool charge(std::size_t cost) {
    left_ -= std::min(left_, cost);
    return left_ > 0;
  }

  page_of<job_view> finish() {
    page_.next = std::to_string(before_);
    return std::move(page_);
  }

  connection& database_;
  const wanted_jobs& wanted_;
  std::size_t limit_;
  job_number before_; ///< all jobs from here on have been looked at
  std::size_t left_ = most_examined;
  page_of<job_view> page_;
};

} // namespace

result<page_of<job_view>> read_jobs(connection& database, app_id app, const job_query& query,
                                    const page_request& page) {
  using answer = result<page_of<job_view>>;
  wanted_jobs wanted{app, query.scope, {}, query.status, {}, {}, query.since, query.due_before};
  if (!query.name.empty()) {
    const bool is_user = query.scope == scope_kind::user;
    wanted.scope_id =
      is_user ? database.value("SELECT id FROM users WHERE app = ? AND name = ?", app, query.name)
              : database.value("SELECT id FROM topics WHERE app = ? AND name = ?", app, query.name);
    if (!wanted.scope_id)
      return answer::failure(errc::not_found,
                             (is_user ? "user '" : "topic '") + query.name + "' does not exist");
  }
  if (!query.lane.empty()) {
    wanted.lane = database.value("SELECT id FROM lanes WHERE name = ?", query.lane);
    if (!wanted.lane)
      return answer::success({});
  }
  if (!query.reference.empty())
    wanted.reference = query.reference;
  const auto newest = database.value("SELECT max(n) FROM jobs");
  if (!newest)
    return answer::success({});
  wanted.lowest = database.value("SELECT min(n) FROM jobs").value_or(0);
  if (query.since)
    wanted.lowest = std::max(wanted.lowest, lowest_since(database, *query.since));
  const auto before = std::min(number_after(page, *newest + 1), *newest + 1);
  return answer::success(job_lister{database, wanted, page, before}.read());
}

} // namespace signalbox::sqlite
