#pragma once

#include "messages/job.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <optional>
#include <unordered_map>
#include <utility>

namespace signalbox::sqlite {

/// A map bounded by the weight of its entries, which forgets its older half when full: cheaper than
/// exact recency, and an entry in use is found again by every look-up moving it to the younger
/// half. Not thread-safe.
template <class Key, class Value>
class two_age_map {
public:
  explicit two_age_map(std::size_t capacity) : half_{capacity / 2} {}

  void put(const Key& key, Value value, std::size_t weight = 1) {
    if (young_weight_ + weight > half_) {
      old_.swap(young_); // and not moved: the new young half grows into the buckets that are there
      young_.clear();
      young_weight_ = 0;
    }
    young_weight_ += weight;
    young_.insert_or_assign(key, entry{std::move(value), weight});
  }

  std::optional<Value> find(const Key& key) {
    if (const auto it = young_.find(key); it != young_.end())
      return it->second.value;
    const auto it = old_.find(key);
    if (it == old_.end())
      return std::nullopt;
    const auto found = it->second;
    put(key, found.value, found.weight);
    return found.value;
  }

  void erase(const Key& key) {
    young_.erase(key);
    old_.erase(key);
  }

  void clear() {
    young_.clear();
    old_.clear();
    young_weight_ = 0;
  }

private:
  struct entry {
    Value value;
    std::size_t weight;
  };

  std::size_t half_;
  std::size_t young_weight_ = 0; ///< also of entries that were erased or replaced
  std::unordered_map<Key, entry> young_;
  std::unordered_map<Key, entry> old_;
};

/// The number of a job's row: what the ledger's tables refer to.
using job_number = std::int64_t;

/// What loading needs of a job beside its context.
struct job_facts {
  job_context_ptr context;
  scope_kind scope = scope_kind::topic;
  std::optional<std::int64_t> scope_id;
};

/// Facts of the jobs that are being sent, shared by the readers: 8 MiB of them, and 512 jobs at
/// most. They never change. Thread-safe.
class job_facts_cache {
public:
  static constexpr std::size_t capacity_bytes = 8 << 20;
  static constexpr std::size_t capacity_jobs = 512;

  std::optional<job_facts> find(job_number job) {
    std::lock_guard lock{mutex_};
    return facts_.find(job);
  }
  void put(job_number job, job_facts facts) {
    const auto weight = std::max(bytes_of(facts), capacity_bytes / capacity_jobs);
    std::lock_guard lock{mutex_};
    facts_.put(job, std::move(facts), weight);
  }

private:
  static std::size_t bytes_of(const job_facts& facts) {
    const auto& job = *facts.context;
    return job.payload.size() + (job.activity ? job.activity->content_state.size() : 0);
  }

  std::mutex mutex_;
  two_age_map<job_number, job_facts> facts_{capacity_bytes};
};

} // namespace signalbox::sqlite
