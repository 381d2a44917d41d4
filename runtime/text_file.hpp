#pragma once

#include <filesystem>
#include <optional>
#include <string>

namespace signalbox {

/// Reads a whole file. Blocks.
/// @returns nothing, with the system's reason in `why`, if it cannot be read
std::optional<std::string> read_text_file(const std::filesystem::path& path, std::string& why);

} // namespace signalbox
