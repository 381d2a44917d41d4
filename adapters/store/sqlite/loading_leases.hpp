#pragma once

#include "adapters/store/sqlite/job_cache.hpp"

#include <chrono>
#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <utility>
#include <vector>

namespace signalbox::sqlite {

/// The leases of works that are being loaded: nobody holds the works yet who could renew them, so
/// whoever ends leases renews these. Thread-safe.
class loading_leases {
public:
  /// By job and the claim's epoch.
  using key = std::pair<job_number, std::uint64_t>;

  void begin(const std::vector<key>& works, std::chrono::milliseconds lease) {
    std::lock_guard lock{mutex_};
    for (const auto& one : works)
      leases_[one] = lease;
  }

  void end(const std::vector<key>& works) {
    std::lock_guard lock{mutex_};
    for (const auto& one : works)
      leases_.erase(one);
  }

  /// For how long the lease is given; nothing if it is not of a work that is being loaded.
  std::optional<std::chrono::milliseconds> find(const key& work) const {
    std::lock_guard lock{mutex_};
    const auto found = leases_.find(work);
    return found == leases_.end() ? std::nullopt : std::optional{found->second};
  }

  std::map<key, std::chrono::milliseconds> all() const {
    std::lock_guard lock{mutex_};
    return leases_;
  }

private:
  mutable std::mutex mutex_;
  std::map<key, std::chrono::milliseconds> leases_;
};

} // namespace signalbox::sqlite
