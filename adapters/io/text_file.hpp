#pragma once

#include <cstddef>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

namespace signalbox {

/// More than any configuration, key or bundle of certificates has.
constexpr std::size_t longest_text_file = 16 * 1024 * 1024;

/// The text behind the byte order mark (UTF-8) that some editors begin a file with.
std::string_view without_byte_order_mark(std::string_view text);

/// Reads a whole file of at most `longest_text_file` bytes; a byte order mark is left out. Blocks.
/// @returns nothing, with the system's reason in `why`, if it cannot be read
std::optional<std::string> read_text_file(const std::filesystem::path& path, std::string& why);

} // namespace signalbox
