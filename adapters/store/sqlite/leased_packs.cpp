#include "adapters/store/sqlite/leased_packs.hpp"

#include <algorithm>
#include <utility>

namespace signalbox::sqlite {

leased_packs::leased_packs(connection& database, const retry_leases& leases, job_number job,
                           std::uint64_t epoch)
  : database_{database}, lease_{leases.find(job, epoch)} {}

std::optional<retry_entry> leased_packs::take(token_id token) {
  const auto found = find(token);
  if (!found)
    return std::nullopt;
  const auto entry = *found->at;
  found->in->pack.entries.erase(found->at);
  found->in->is_changed = true;
  return entry;
}

bool leased_packs::mark_sent(token_id token) {
  const auto found = find(token);
  if (!found)
    return false;
  found->in->is_changed |= !std::exchange(found->at->is_sent, true);
  return true;
}

void leased_packs::write(std::vector<pack_number>& ended) {
  for (auto& [n, one] : opened_) {
    if (!one.is_changed)
      continue;
    rewrite_pack(database_, one.pack);
    if (one.pack.entries.empty())
      ended.push_back(n);
  }
}

std::optional<leased_packs::place_of_entry> leased_packs::find(token_id token) {
  if (!lease_)
    return std::nullopt;
  const auto is_before = [](const auto& one, token_id id) { return one.token < id; };
  const auto& targets = *lease_->targets;
  auto leased = std::lower_bound(targets.begin(), targets.end(), token, is_before);
  for (; leased != targets.end() && leased->token == token; ++leased) {
    auto& in = open(leased->pack);
    auto& entries = in.pack.entries;
    const auto at = std::lower_bound(entries.begin(), entries.end(), token, is_before);
    if (at != entries.end() && at->token == token)
      return place_of_entry{&in, at};
  }
  return std::nullopt;
}

// A pack that has come to its end, or is damaged, is as good as empty.
leased_packs::opened& leased_packs::open(pack_number n) {
  const auto [known, is_new] = opened_.try_emplace(n);
  if (is_new)
    if (auto pack = read_pack(database_, n))
      known->second.pack = std::move(*pack);
  return known->second;
}

} // namespace signalbox::sqlite
