#include "adapters/store/sqlite/letter_office.hpp"

#include "adapters/store/sqlite/paging.hpp"

#include <limits>
#include <optional>

namespace signalbox::sqlite {

namespace {

constexpr std::size_t most_looked_at = 5'000;

// Of the letter's job: the one given, or any if that is empty.
#define SIGNALBOX_REFERENCE_FITS "? IN ('', (SELECT reference FROM jobs WHERE n = job)) "

// The filter in numbers; nothing if it names a job or a lane that does not exist.
struct letter_filter {
  app_id app = default_app;
  std::optional<job_number> job;
  std::optional<lane_number> lane;
  std::optional<std::string> reason;
  std::string reference; ///< empty: any
};

std::optional<letter_filter> resolve(connection& database, shared_state& shared,
                                     const dead_letter_filter& filter) {
  letter_filter made{filter.app, {}, {}, {}, filter.reference};
  if (filter.job) {
    made.job = database.value("SELECT n FROM jobs WHERE id = ?", *filter.job);
    if (!made.job)
      return std::nullopt;
  }
  if (!filter.lane.empty()) {
    made.lane = shared.lanes.find(database, filter.lane);
    if (!made.lane)
      return std::nullopt;
  }
  if (!filter.reason.empty())
    made.reason = filter.reason;
  return made;
}

found_letters take_letters(rows found, std::size_t limit) {
  found_letters taken;
  while (found.next()) {
    if (taken.letters.size() == limit) {
      taken.more = true;
      break;
    }
    taken.letters.push_back({found.integer(0), found.integer(1), found.integer(2),
                             static_cast<pool_code>(found.integer(3))});
  }
  return taken;
}

} // namespace

result<page_of<dead_letter_view>> read_letters(connection& database, shared_state& shared,
                                               const dead_letter_filter& filter,
                                               const page_request& page) {
  const auto wanted = resolve(database, shared, filter);
  if (!wanted)
    return {};
  const auto before = number_after(page, std::numeric_limits<std::int64_t>::max());
  // The page ends with it, however few of those above it fit; none: all are looked at.
  const auto last = wanted->job
                      ? database.value("SELECT id FROM dead_letters INDEXED BY dead_letters_by_job "
                                       "WHERE job = ? AND id < ? ORDER BY id DESC LIMIT 1 OFFSET ?",
                                       *wanted->job, before, most_looked_at - 1)
                      : database.value("SELECT id FROM dead_letters INDEXED BY dead_letters_by_app "
                                       "WHERE app = ? AND id < ? ORDER BY id DESC LIMIT 1 OFFSET ?",
                                       wanted->app, before, most_looked_at - 1);
  const auto from = last.value_or(0);
#define SIGNALBOX_LETTER_COLUMNS                                                                   \
  "d.id, (SELECT id FROM jobs WHERE n = d.job), (SELECT name FROM lanes WHERE id = d.lane), "      \
  "d.pool, (SELECT token FROM tokens WHERE id = d.token), d.attempts, d.reason, d.last_error, "    \
  "d.dead_lettered_at, d.replayed_by, (SELECT reference FROM jobs WHERE n = d.job) FROM "          \
  "dead_letters d "
  auto found =
    wanted->job
      ? database.query("SELECT " SIGNALBOX_LETTER_COLUMNS "INDEXED BY dead_letters_by_job "
                       "WHERE d.job = ? AND d.app = ? AND d.id < ? AND d.id >= ? "
                       "AND d.lane = ifnull(?, d.lane) AND d.reason = ifnull(?, d.reason) "
                       "AND " SIGNALBOX_REFERENCE_FITS "ORDER BY d.id DESC LIMIT ?",
                       *wanted->job, wanted->app, before, from, wanted->lane, wanted->reason,
                       wanted->reference, page.limit + 1)
      : database.query("SELECT " SIGNALBOX_LETTER_COLUMNS "INDEXED BY dead_letters_by_app "
                       "WHERE d.app = ? AND d.id < ? AND d.id >= ? "
                       "AND d.lane = ifnull(?, d.lane) AND d.reason = ifnull(?, d.reason) "
                       "AND " SIGNALBOX_REFERENCE_FITS "ORDER BY d.id DESC LIMIT ?",
                       wanted->app, before, from, wanted->lane, wanted->reason, wanted->reference,
                       page.limit + 1);
#undef SIGNALBOX_LETTER_COLUMNS
  auto taken = take_page<dead_letter_view>(
    found, page.limit,
    [](const rows& row) {
      dead_letter_view view;
      view.job = row.id(1);
      view.lane = row.text(2);
      const auto dest = destination_of(default_app, static_cast<pool_code>(row.integer(3)));
      view.provider = dest.provider;
      view.env = dest.env;
      view.token = row.text(4);
      view.attempts = static_cast<std::uint32_t>(row.integer(5));
      view.reason = row.text(6);
      view.last_error = row.text(7);
      view.dead_lettered_at = row.time(8);
      if (!row.is_null(9))
        view.replayed_by = row.id(9);
      view.reference = row.text(10);
      return view;
    },
    [](const rows& row) { return std::to_string(row.integer(0)); });
  if (taken.next.empty() && last)
    taken.next = std::to_string(*last);
  return result<page_of<dead_letter_view>>::success(std::move(taken));
}

found_letters letters_to_replay(connection& database, shared_state& shared,
                                const dead_letter_filter& filter) {
  const auto wanted = resolve(database, shared, filter);
  if (!wanted)
    return {};
  if (wanted->job)
    return take_letters(
      database.query("SELECT id, job, token, pool FROM dead_letters INDEXED BY dead_letters_by_job "
                     "WHERE job = ? AND app = ? AND replayed_by IS NULL AND token > 0 "
                     "AND lane = ifnull(?, lane) AND reason = ifnull(?, reason) "
                     "AND " SIGNALBOX_REFERENCE_FITS "ORDER BY id LIMIT ?",
                     *wanted->job, wanted->app, wanted->lane, wanted->reason, wanted->reference,
                     most_replayed + 1),
      most_replayed);
  return take_letters(
    database.query("SELECT id, job, token, pool FROM dead_letters "
                   "INDEXED BY dead_letters_to_replay WHERE replayed_by IS NULL AND token > 0 "
                   "AND app = ? AND lane = ifnull(?, lane) AND reason = ifnull(?, reason) "
                   "AND " SIGNALBOX_REFERENCE_FITS "ORDER BY id LIMIT ?",
                   wanted->app, wanted->lane, wanted->reason, wanted->reference, most_replayed + 1),
    most_replayed);
}

found_letters letters_to_delete(connection& database, shared_state& shared,
                                const dead_letter_filter& filter) {
  const auto wanted = resolve(database, shared, filter);
  if (!wanted)
    return {};
  if (wanted->job)
    return take_letters(
      database.query("SELECT id, job, token, pool FROM dead_letters INDEXED BY dead_letters_by_job "
                     "WHERE job = ? AND app = ? AND lane = ifnull(?, lane) "
                     "AND reason = ifnull(?, reason) AND " SIGNALBOX_REFERENCE_FITS
                     "ORDER BY id LIMIT ?",
                     *wanted->job, wanted->app, wanted->lane, wanted->reason, wanted->reference,
                     most_deleted + 1),
      most_deleted);
  return take_letters(
    database.query("SELECT id, job, token, pool FROM dead_letters INDEXED BY dead_letters_by_app "
                   "WHERE app = ? AND lane = ifnull(?, lane) AND reason = ifnull(?, reason) "
                   "AND " SIGNALBOX_REFERENCE_FITS "ORDER BY id LIMIT ?",
                   wanted->app, wanted->lane, wanted->reason, wanted->reference, most_deleted + 1),
    most_deleted);
}

std::int64_t delete_letters(connection& database, const found_letters& found) {
  std::int64_t deleted = 0;
  for (const auto& one : found.letters)
    deleted += database.execute("DELETE FROM dead_letters WHERE id = ?", one.id);
  return deleted;
}

} // namespace signalbox::sqlite
