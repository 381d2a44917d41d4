#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace signalbox::sim {

/// A set of 64-bit hashes that only grows until it is cleared: open addressing, 8 bytes an entry at
/// a load of at most one half. Two values with one hash count as one (at a million values that
/// happens with a probability of 3e-8). Not thread-safe.
class hash_set {
public:
  hash_set();

  /// Brings the place of `hash` into the cache, for an `insert` that follows soon.
  void prefetch(std::uint64_t hash) const noexcept { __builtin_prefetch(&slots_[hash & mask_], 1); }

  /// True if `hash` was not in the set before.
  bool insert(std::uint64_t hash);

  bool contains(std::uint64_t hash) const noexcept;

  std::size_t size() const noexcept { return size_; }

  void clear();

private:
  void grow();

  std::vector<std::uint64_t> slots_;
  std::size_t mask_;
  std::size_t size_ = 0;
};

} // namespace signalbox::sim
