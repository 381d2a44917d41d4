#pragma once

#include "adapters/store/sqlite/ledger_state.hpp"

#include <chrono>
#include <cstddef>

namespace signalbox::sqlite {

/// The wall clock may be put back; a smaller step than this is let pass.
inline constexpr std::chrono::milliseconds clock_tolerance{1'000};

/// Takes note of the store's time before leases are written. When the clock was put back, leases
/// end that much earlier, so that each lasts as long as it was given for, and the waits of
/// retries are due to be corrected. In the writer's transaction.
void follow_clock(connection& database, shared_state& shared, writer_state& state, timestamp now);

/// One slice of retries, of `limit` packs, after the clock was put back: those written in the
/// future wait their backoff from now. True if there is more to look at. Otherwise keeps the time,
/// now and then, for the next start.
bool correct_waits(connection& database, writer_state& state, timestamp now, std::size_t limit);

/// At a start: the time of the last run.
void load_clock(connection& database, writer_state& state);

} // namespace signalbox::sqlite
