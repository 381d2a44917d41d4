#pragma once

#include "messages/ids.hpp"

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace signalbox::sqlite {

/// A target that waits for its retry.
struct retry_entry {
  token_id token = 0;
  std::uint32_t seq = 0;      ///< its chunk
  std::uint32_t position = 0; ///< in its chunk
  std::uint16_t attempts = 0; ///< tries made
  bool is_sent = false;       ///< marked, and never answered
  bool operator==(const retry_entry&) const = default;
};

/// The stored form of a pack's entries, about six bytes each: LEB128 varints of the differences of
/// tokens and of chunks (zigzag), of the position, and of attempts * 2 + is_sent.
///
/// The tokens are positive and strictly ascending.
std::string encode_retries(std::span<const retry_entry> entries);

/// Nothing if the bytes are cut off, overflow, or are not of strictly ascending positive tokens.
std::optional<std::vector<retry_entry>> decode_retries(std::string_view bytes);

} // namespace signalbox::sqlite
