#include "adapters/simulator/text_hash.hpp"

#include <bit>
#include <cstddef>
#include <cstring>

namespace signalbox::sim {

static_assert(std::endian::native == std::endian::little, "words are read in place");

std::uint64_t text_hash(std::string_view text) noexcept {
  std::uint64_t hash = text.size();
  const auto mix = [&hash](std::uint64_t word) {
    hash = (hash ^ word) * 0x9E3779B97F4A7C15;
    hash ^= hash >> 32;
  };
  std::uint64_t word = 0;
  std::size_t at = 0;
  for (; at + sizeof word <= text.size(); at += sizeof word) {
    std::memcpy(&word, text.data() + at, sizeof word);
    mix(word);
  }
  if (at < text.size()) {
    word = 0;
    std::memcpy(&word, text.data() + at, text.size() - at);
    mix(word);
  }
  hash *= 0xD6E8FEB86659FD93;
  return hash ^ (hash >> 32);
}

double text_fraction(std::string_view text) noexcept {
  return static_cast<double>(text_hash(text) >> 11) * 0x1p-53;
}

} // namespace signalbox::sim
