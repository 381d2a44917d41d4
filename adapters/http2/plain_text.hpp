#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace signalbox {

/// What a peer said in words, as it may stand in logs, receipts and answers: at most `limit` bytes
/// of it, with `?` for whatever is not printable ASCII, and for quotes and backslashes.
std::string plain_text(std::string_view text, std::size_t limit = 128);

} // namespace signalbox
