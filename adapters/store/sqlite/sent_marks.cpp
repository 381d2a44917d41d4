#include "adapters/store/sqlite/sent_marks.hpp"

#include "actors/done_bits.hpp"
#include "adapters/store/sqlite/leased_packs.hpp"

#include <algorithm>
#include <map>
#include <optional>
#include <utility>

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
  leased_packs packs{database, leases, job, of.epoch};
  bool held = true;
  for (const auto position : mark.positions)
    held &= position < of.targets.size() && packs.mark_sent(of.targets[position].id);
  std::vector<pack_number> ended;
  packs.write(ended);
  return held;
}

// The newest packs first: what is refunded was written just now.
void refund_job(connection& database, job_number job, std::map<token_id, unsigned> charged) {
  visit_packs(database, job, [&](pack_number n) {
    auto pack = read_pack(database, n);
    if (!pack)
      return true;
    const auto before = charged.size();
    for (auto& one : pack->entries)
      if (const auto found = charged.find(one.token); found != charged.end()) {
        one.attempts = static_cast<std::uint16_t>(one.attempts -
                                                  std::min<unsigned>(one.attempts, found->second));
        charged.erase(found);
      }
    if (charged.size() < before)
      rewrite_pack(database, *pack);
    return !charged.empty();
  });
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
  std::map<job_id, std::map<token_id, unsigned>> charged;
  for (const auto& one : retries)
    ++charged[one.job][one.token];
  for (auto& [id, tokens] : charged)
    if (const auto job = find_job(database, state, id))
      refund_job(database, *job, std::move(tokens));
}

} // namespace signalbox::sqlite
