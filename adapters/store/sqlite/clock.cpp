#include "adapters/store/sqlite/clock.hpp"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <vector>

namespace signalbox::sqlite {

namespace {

// A step back that happens while the node is down is missed by so much at most.
constexpr std::chrono::seconds kept_every{10};

} // namespace

void follow_clock(connection& database, shared_state& shared, writer_state& state, timestamp now) {
  if (now + clock_tolerance >= state.clock) {
    state.clock = std::max(state.clock, now);
    return;
  }
  const auto back = state.clock - now;
  spdlog::warn("event=clock_put_back by_ms={}", back.count());
  database.execute("UPDATE chunks INDEXED BY chunks_leased "
                   "SET lease_expires_at = lease_expires_at - ? WHERE status = 2",
                   back.count());
  shared.retry_leases.put_back(back);
  state.next_lease_expiry = now;
  state.waits_corrected_to = retry_place{};
  state.clock = now;
}

bool correct_waits(connection& database, writer_state& state, timestamp now, std::size_t limit) {
  auto& at = state.waits_corrected_to;
  if (!at) {
    if (now >= state.kept_clock + kept_every || now + clock_tolerance < state.kept_clock) {
      database.execute("UPDATE counters SET value = ? WHERE name = 'clock'", now);
      state.kept_clock = now;
    }
    return false;
  }
  struct row {
    retry_place place;
    timestamp run_at;
  };
  std::vector<row> ahead;
  std::size_t seen = 0;
  {
    auto found = database.query("SELECT job, token, run_at, written_at FROM retries "
                                "WHERE (job, token) > (?, ?) ORDER BY job, token LIMIT ?",
                                at->job, at->token, limit);
    for (; found.next(); ++seen) {
      at = retry_place{found.integer(0), found.integer(1)};
      if (const auto written_at = found.time(3); written_at > now)
        ahead.push_back({*at, now + (found.time(2) - written_at)});
    }
  }
  if (!ahead.empty())
    state.retry_cursors.clear();
  for (const auto& [place, run_at] : ahead)
    database.execute("UPDATE retries SET run_at = ?, written_at = ? WHERE job = ? AND token = ?",
                     run_at, now, place.job, place.token);
  if (seen == limit)
    return true;
  at.reset();
  return false;
}

void load_clock(connection& database, writer_state& state) {
  state.kept_clock = timestamp{std::chrono::milliseconds{
    database.value("SELECT value FROM counters WHERE name = 'clock'").value_or(0)}};
  state.clock = state.kept_clock;
}

} // namespace signalbox::sqlite
