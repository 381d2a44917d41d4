#pragma once

#include "adapters/store/sqlite/job_cache.hpp"
#include "adapters/store/sqlite/pool.hpp"
#include "messages/ids.hpp"

#include <chrono>
#include <cstddef>
#include <map>
#include <mutex>
#include <utility>

namespace signalbox::sqlite {

/// Which jobs are planned as far ahead as they may be, by pool, so that their chunks are not
/// counted again with every claim of somebody else's: a job may wait for a provider for hours. It
/// is full until a whole step of its chunks has been claimed. Forgetting is always safe.
/// Thread-safe.
class plan_ahead {
public:
  /// A note is not believed for longer, whatever has happened to the job.
  static constexpr std::chrono::seconds longest{1};

  bool is_full(job_number job, pool_code pool, timestamp now) const;
  void note_full(job_number job, pool_code pool, timestamp now);
  void note_claim(job_number job, pool_code pool);

private:
  struct note {
    timestamp at;
    std::size_t claimed = 0; ///< chunks since
  };

  mutable std::mutex mutex_;
  std::map<std::pair<job_number, pool_code>, note> notes_;
};

} // namespace signalbox::sqlite
