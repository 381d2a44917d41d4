#include "adapters/store/sqlite/plan_ahead.hpp"

#include "adapters/store/sqlite/planning.hpp"

namespace signalbox::sqlite {

namespace {

constexpr std::size_t most_kept = 10'000;

} // namespace

bool plan_ahead::is_full(job_number job, pool_code pool, timestamp now) const {
  std::lock_guard lock{mutex_};
  const auto known = notes_.find({job, pool});
  return known != notes_.end() && known->second.claimed < plan_step_chunks &&
         now >= known->second.at && now < known->second.at + longest;
}

void plan_ahead::note_full(job_number job, pool_code pool, timestamp now) {
  std::lock_guard lock{mutex_};
  if (notes_.size() >= most_kept)
    notes_.clear();
  notes_[{job, pool}] = {now, 0};
}

void plan_ahead::note_claim(job_number job, pool_code pool) {
  std::lock_guard lock{mutex_};
  if (const auto known = notes_.find({job, pool}); known != notes_.end())
    ++known->second.claimed;
}

} // namespace signalbox::sqlite
