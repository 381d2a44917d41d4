#pragma once

#include "messages/ids.hpp"

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace signalbox {

/// The stored form of a chunk's targets: the first id, then the differences, as LEB128 varints. A
/// thousand neighbours take about a thousand bytes.
///
/// `ids` are positive and strictly ascending.
std::string encode_targets(std::span<const token_id> ids);

/// Nothing if the bytes are cut off, overflow or are not strictly ascending positive ids.
std::optional<std::vector<token_id>> decode_targets(std::string_view bytes);

/// Appends one unsigned number as a LEB128 varint.
void append_varint(std::string& out, std::uint64_t value);

/// Reads a varint off the front of `bytes`; nothing if it is cut off or exceeds 64 bits.
std::optional<std::uint64_t> take_varint(std::string_view& bytes);

} // namespace signalbox
