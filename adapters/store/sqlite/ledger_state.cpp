#include "adapters/store/sqlite/ledger_state.hpp"

namespace signalbox::sqlite {

void writer_state::look_again() {
  retry_cursors.clear();
  next_lease_expiry = {};
  waits_corrected_to = 0;
  unparked_to = 0;
}

std::uint64_t next_epoch(connection& database, writer_state& state) {
  // In memory it only rises, so that a transaction that was rolled back leaves a gap, no repeat.
  ++state.epoch;
  database.execute("UPDATE counters SET value = ? WHERE name = 'epoch'", state.epoch);
  return state.epoch;
}

std::optional<job_number> find_job(connection& database, writer_state& state, const job_id& id) {
  if (const auto known = state.jobs.find(id))
    return known;
  const auto number = database.value("SELECT n FROM jobs WHERE id = ?", id);
  if (number)
    state.jobs.put(id, *number);
  return number;
}

} // namespace signalbox::sqlite
