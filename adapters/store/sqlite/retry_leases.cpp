#include "adapters/store/sqlite/retry_leases.hpp"

#include <algorithm>
#include <utility>

namespace signalbox::sqlite {

std::vector<pack_number> packs_of(const std::vector<leased_retry>& targets) {
  std::vector<pack_number> packs;
  packs.reserve(targets.size());
  for (const auto& one : targets)
    packs.push_back(one.pack);
  std::sort(packs.begin(), packs.end());
  packs.erase(std::unique(packs.begin(), packs.end()), packs.end());
  return packs;
}

void retry_leases::begin(std::uint64_t epoch, job_number job, const lane_pool& place,
                         std::vector<leased_retry> targets, timestamp expires_at) {
  std::sort(targets.begin(), targets.end(),
            [](const auto& a, const auto& b) { return a.token < b.token; });
  auto packs = packs_of(targets);
  std::lock_guard lock{mutex_};
  for (const auto pack : packs)
    packs_.insert_or_assign(pack, epoch);
  leases_[epoch] = {
    {job, place, std::make_shared<const std::vector<leased_retry>>(std::move(targets)), expires_at},
    std::move(packs)};
}

bool retry_leases::is_leased(pack_number pack) const {
  std::lock_guard lock{mutex_};
  return packs_.contains(pack);
}

std::optional<retry_lease> retry_leases::find(job_number job, std::uint64_t epoch) const {
  std::lock_guard lock{mutex_};
  const auto known = leases_.find(epoch);
  if (known == leases_.end() || known->second.lease.job != job)
    return std::nullopt;
  return known->second.lease;
}

std::vector<retry_lease> retry_leases::find_all(job_number job, pool_code pool) const {
  std::lock_guard lock{mutex_};
  std::vector<retry_lease> found;
  for (const auto& [epoch, held] : leases_)
    if (held.lease.job == job && std::get<pool_code>(held.lease.place) == pool)
      found.push_back(held.lease);
  return found;
}

std::vector<pack_number> retry_leases::packs_in(const lane_pool& place) const {
  std::lock_guard lock{mutex_};
  std::vector<pack_number> packs;
  for (const auto& [epoch, held] : leases_)
    if (held.lease.place == place)
      packs.insert(packs.end(), held.packs.begin(), held.packs.end());
  return packs;
}

void retry_leases::end(const std::vector<pack_number>& packs) {
  std::lock_guard lock{mutex_};
  for (const auto pack : packs) {
    const auto known = packs_.find(pack);
    if (known == packs_.end())
      continue;
    const auto of = leases_.find(known->second);
    packs_.erase(known);
    std::erase(of->second.packs, pack);
    if (of->second.packs.empty())
      leases_.erase(of);
  }
}

bool retry_leases::renew(job_number job, std::uint64_t epoch, timestamp expires_at) {
  std::lock_guard lock{mutex_};
  const auto known = leases_.find(epoch);
  if (known == leases_.end() || known->second.lease.job != job)
    return false;
  known->second.lease.expires_at = expires_at;
  return true;
}

bool retry_leases::release(job_number job, std::uint64_t epoch) {
  std::lock_guard lock{mutex_};
  const auto known = leases_.find(epoch);
  if (known == leases_.end() || known->second.lease.job != job)
    return false;
  drop(known);
  return true;
}

bool retry_leases::expire(timestamp now) {
  std::lock_guard lock{mutex_};
  bool any = false;
  for (auto at = leases_.begin(); at != leases_.end();) {
    if (at->second.lease.expires_at > now) {
      ++at;
      continue;
    }
    any = true;
    at = drop(at);
  }
  return any;
}

retry_leases::leases::iterator retry_leases::drop(leases::iterator at) {
  for (const auto pack : at->second.packs)
    packs_.erase(pack);
  return leases_.erase(at);
}

timestamp retry_leases::next_expiry() const {
  std::lock_guard lock{mutex_};
  auto next = timestamp::max();
  for (const auto& [epoch, held] : leases_)
    next = std::min(next, held.lease.expires_at);
  return next;
}

void retry_leases::put_back(std::chrono::milliseconds by) {
  std::lock_guard lock{mutex_};
  for (auto& [epoch, held] : leases_)
    held.lease.expires_at -= by;
}

} // namespace signalbox::sqlite
