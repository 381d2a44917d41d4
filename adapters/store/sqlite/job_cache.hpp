#pragma once

#include "messages/job.hpp"

#include <cstdint>
#include <mutex>
#include <optional>
#include <unordered_map>
#include <utility>

namespace signalbox::sqlite {

/// A bounded map that forgets its older half when full: cheaper than exact recency, and an entry in
/// use is found again by every look-up moving it to the younger half. Not thread-safe.
template <class Key, class Value>
class two_age_map {
public:
  explicit two_age_map(std::size_t capacity) : half_{capacity / 2} {}

  void put(const Key& key, Value value) {
    if (young_.size() >= half_) {
      old_ = std::move(young_);
      young_.clear();
    }
    young_.insert_or_assign(key, std::move(value));
  }

  std::optional<Value> find(const Key& key) {
    if (const auto it = young_.find(key); it != young_.end())
      return it->second;
    const auto it = old_.find(key);
    if (it == old_.end())
      return std::nullopt;
    auto value = it->second;
    put(key, value);
    return value;
  }

  void erase(const Key& key) {
    young_.erase(key);
    old_.erase(key);
  }

  void clear() {
    young_.clear();
    old_.clear();
  }

private:
  std::size_t half_;
  std::unordered_map<Key, Value> young_;
  std::unordered_map<Key, Value> old_;
};

/// The number of a job's row: what the ledger's tables refer to.
using job_number = std::int64_t;

/// What loading needs of a job beside its context.
struct job_facts {
  job_context_ptr context;
  scope_kind scope = scope_kind::topic;
  std::optional<std::int64_t> scope_id;
};

/// Facts of the jobs that are being sent, shared by the readers. They never change. Thread-safe.
class job_facts_cache {
public:
  std::optional<job_facts> find(job_number job) {
    std::lock_guard lock{mutex_};
    return facts_.find(job);
  }
  void put(job_number job, job_facts facts) {
    std::lock_guard lock{mutex_};
    facts_.put(job, std::move(facts));
  }

private:
  std::mutex mutex_;
  two_age_map<job_number, job_facts> facts_{512};
};

} // namespace signalbox::sqlite
