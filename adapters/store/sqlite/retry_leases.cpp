#include "adapters/store/sqlite/retry_leases.hpp"

#include <algorithm>

namespace signalbox::sqlite {

std::size_t retry_leases::row_hash::operator()(const retry_place& row) const {
  const auto mixed = static_cast<std::uint64_t>(row.job) * 0x9e3779b97f4a7c15U;
  return static_cast<std::size_t>(mixed ^ static_cast<std::uint64_t>(row.token));
}

void retry_leases::begin(std::uint64_t epoch, job_number job, const lane_pool& place,
                         const std::vector<leased_retry>& rows, timestamp expires_at) {
  std::lock_guard lock{mutex_};
  auto& made = leases_[epoch];
  made.lease = {job, place, {}, expires_at};
  made.lease.tokens.reserve(rows.size());
  made.left = rows.size();
  for (const auto& row : rows) {
    made.lease.tokens.push_back(row.token);
    rows_.insert_or_assign({job, row.token}, row_lease{epoch, row.seq});
  }
}

bool retry_leases::is_leased(const retry_place& row) const {
  std::lock_guard lock{mutex_};
  return rows_.count(row) != 0;
}

std::optional<std::uint32_t> retry_leases::chunk_of(const retry_place& row,
                                                    std::uint64_t epoch) const {
  std::lock_guard lock{mutex_};
  const auto known = rows_.find(row);
  if (known == rows_.end() || known->second.epoch != epoch)
    return std::nullopt;
  return known->second.seq;
}

bool retry_leases::holds(const retry_place& row, std::uint64_t epoch) const {
  const auto known = rows_.find(row);
  return known != rows_.end() && known->second.epoch == epoch;
}

std::optional<retry_lease> retry_leases::find(job_number job, std::uint64_t epoch) const {
  std::lock_guard lock{mutex_};
  const auto known = leases_.find(epoch);
  if (known == leases_.end() || known->second.lease.job != job)
    return std::nullopt;
  auto found = known->second.lease;
  std::erase_if(found.tokens, [&](token_id token) { return !holds({job, token}, epoch); });
  return found;
}

std::size_t retry_leases::count(const lane_pool& place) const {
  std::lock_guard lock{mutex_};
  std::size_t sum = 0;
  for (const auto& [epoch, held] : leases_)
    sum += held.lease.place == place ? held.left : 0;
  return sum;
}

std::vector<token_id> retry_leases::tokens_of(job_number job, pool_code pool) const {
  std::lock_guard lock{mutex_};
  std::vector<token_id> tokens;
  for (const auto& [epoch, held] : leases_)
    if (held.lease.job == job && std::get<pool_code>(held.lease.place) == pool)
      for (const auto token : held.lease.tokens)
        if (rows_.contains({job, token}))
          tokens.push_back(token);
  return tokens;
}

void retry_leases::end(const std::vector<retry_place>& rows) {
  std::lock_guard lock{mutex_};
  for (const auto& row : rows) {
    const auto known = rows_.find(row);
    if (known == rows_.end())
      continue;
    const auto of = leases_.find(known->second.epoch);
    rows_.erase(known);
    if (--of->second.left == 0)
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
  const auto& lease = at->second.lease;
  for (const auto token : lease.tokens)
    if (holds({lease.job, token}, at->first))
      rows_.erase({lease.job, token});
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
