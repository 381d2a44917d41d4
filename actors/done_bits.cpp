#include "actors/done_bits.hpp"

#include <algorithm>
#include <bit>

namespace signalbox {

namespace {

unsigned char mask_of(std::size_t index) {
  return static_cast<unsigned char>(1u << index % 8);
}

} // namespace

done_bits::done_bits(std::size_t size) : size_{size}, bytes_((size + 7) / 8, '\0') {}

done_bits::done_bits(std::size_t size, std::string_view bytes) : done_bits{size} {
  std::copy_n(bytes.begin(), std::min(bytes.size(), bytes_.size()), bytes_.begin());
  // Bits past the end would make a chunk look finished early.
  if (size % 8 != 0)
    bytes_.back() = static_cast<char>(bytes_.back() & (mask_of(size) - 1));
  for (const char byte : bytes_)
    count_ += static_cast<std::size_t>(std::popcount(static_cast<unsigned char>(byte)));
}

bool done_bits::set(std::size_t index) {
  if (index >= size_ || test(index))
    return false;
  bytes_[index / 8] = static_cast<char>(bytes_[index / 8] | mask_of(index));
  ++count_;
  return true;
}

bool done_bits::test(std::size_t index) const {
  return index < size_ && (static_cast<unsigned char>(bytes_[index / 8]) & mask_of(index)) != 0;
}

} // namespace signalbox
