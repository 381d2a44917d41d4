#include "adapters/store/sqlite/sent_marks.hpp"

#include "actors/done_bits.hpp"

#include <optional>

namespace signalbox::sqlite {

namespace {

bool mark_chunk(connection& database, std::int64_t owner, job_number job, const sent_mark& mark) {
  const auto& of = *mark.of;
  std::optional<done_bits> sent;
  {
    auto found = database.query("SELECT targets, sent FROM chunks WHERE job = ? AND seq = ? "
                                "AND status = 2 AND epoch = ? AND owner = ?",
                                job, of.key.seq, of.epoch, owner);
    if (!found.next())
      return false;
    sent.emplace(static_cast<std::size_t>(found.integer(0)), found.bytes(1));
  }
  for (const auto position : mark.positions)
    if (position < of.targets.size())
      sent->set(of.targets[position].index);
  database.execute("UPDATE chunks SET sent = ? WHERE job = ? AND seq = ?", blob{sent->bytes()}, job,
                   of.key.seq);
  return true;
}

bool mark_retries(connection& database, const retry_leases& leases, job_number job,
                  const sent_mark& mark) {
  const auto& of = *mark.of;
  bool held = true;
  for (const auto position : mark.positions)
    held &= position < of.targets.size() &&
            leases.chunk_of({job, of.targets[position].id}, of.epoch) &&
            database.execute("UPDATE retries SET sent = 1 WHERE job = ? AND token = ?", job,
                             of.targets[position].id) > 0;
  return held;
}

} // namespace

std::vector<bool> mark_sent(connection& database, const shared_state& shared, writer_state& state,
                            const std::vector<sent_mark>& marks) {
  std::vector<bool> held;
  held.reserve(marks.size());
  for (const auto& mark : marks) {
    const auto job = mark.of ? find_job(database, state, mark.of->key.job) : std::nullopt;
    if (!job)
      held.push_back(false);
    else if (mark.of->kind == work_kind::retry)
      held.push_back(mark_retries(database, shared.retry_leases, *job, mark));
    else
      held.push_back(mark_chunk(database, shared.owner, *job, mark));
  }
  return held;
}

void refund_attempts(connection& database, writer_state& state,
                     const std::vector<retry_ref>& retries) {
  for (const auto& one : retries)
    if (const auto job = find_job(database, state, one.job))
      database.execute("UPDATE retries SET attempts = attempts - 1 WHERE job = ? AND token = ? "
                       "AND attempts > 0",
                       *job, one.token);
}

} // namespace signalbox::sqlite
