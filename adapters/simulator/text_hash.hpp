#pragma once

#include <cstdint>
#include <string_view>

namespace signalbox::sim {

/// A 64-bit hash of `text`, the same in every run, so that a test can compute what the simulator
/// decides by it.
///
/// The text is read as little-endian 64-bit words, the last one filled up with zero bytes. From
/// h = length: for each word h = (h ^ word) * 0x9E3779B97F4A7C15, h ^= h >> 32; last
/// h *= 0xD6E8FEB86659FD93, h ^= h >> 32.
std::uint64_t text_hash(std::string_view text) noexcept;

/// Where `text` falls in [0, 1): the upper 53 bits of its hash.
double text_fraction(std::string_view text) noexcept;

} // namespace signalbox::sim
