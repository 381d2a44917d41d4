#include "adapters/store/sqlite/clock.hpp"

#include "adapters/store/sqlite/retry_packs.hpp"

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
  state.waits_corrected_to = pack_number{0};
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
  struct pack {
    pack_number n;
    timestamp run_at;
  };
  std::vector<pack> ahead;
  std::size_t seen = 0;
  {
    auto found =
      database.query("SELECT n, run_at, written_at FROM retries WHERE n > ? ORDER BY n", *at);
    for (; seen < limit && found.next(); ++seen) {
      at = found.integer(0);
      if (const auto written_at = found.time(2); written_at > now)
        ahead.push_back({*at, now + (found.time(1) - written_at)});
    }
  }
  for (const auto& [n, run_at] : ahead)
    postpone_pack(database, n, run_at, now);
  if (seen >= limit)
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
