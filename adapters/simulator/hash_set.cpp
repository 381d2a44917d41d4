#include "adapters/simulator/hash_set.hpp"

#include <utility>

namespace signalbox::sim {

namespace {

constexpr std::size_t initial_slots = std::size_t{1} << 16;
constexpr std::uint64_t empty_slot = 0;
constexpr std::uint64_t stands_for_zero = 0x9E3779B97F4A7C15;

bool place(std::vector<std::uint64_t>& slots, std::size_t mask, std::uint64_t hash) {
  auto at = hash & mask;
  while (slots[at] != empty_slot) {
    if (slots[at] == hash)
      return false;
    at = (at + 1) & mask;
  }
  slots[at] = hash;
  return true;
}

} // namespace

hash_set::hash_set() : slots_(initial_slots, empty_slot), mask_{initial_slots - 1} {}

bool hash_set::insert(std::uint64_t hash) {
  if (!place(slots_, mask_, hash == empty_slot ? stands_for_zero : hash))
    return false;
  if (++size_ * 2 > slots_.size())
    grow();
  return true;
}

bool hash_set::contains(std::uint64_t hash) const noexcept {
  const auto sought = hash == empty_slot ? stands_for_zero : hash;
  for (auto at = sought & mask_; slots_[at] != empty_slot; at = (at + 1) & mask_)
    if (slots_[at] == sought)
      return true;
  return false;
}

void hash_set::clear() {
  slots_ = std::vector<std::uint64_t>(initial_slots, empty_slot);
  mask_ = initial_slots - 1;
  size_ = 0;
}

void hash_set::grow() {
  std::vector<std::uint64_t> larger(slots_.size() * 4, empty_slot);
  mask_ = larger.size() - 1;
  for (const auto hash : slots_)
    if (hash != empty_slot)
      place(larger, mask_, hash);
  slots_ = std::move(larger);
}

} // namespace signalbox::sim
