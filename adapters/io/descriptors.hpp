#pragma once

#include <cstddef>
#include <optional>

namespace signalbox {

/// Descriptors that this process may have open: its soft limit (RLIMIT_NOFILE).
std::size_t descriptor_limit();

/// Raises the soft limit to the hard one, though not beyond what a node can use. Answers the limit
/// that holds now.
std::size_t raise_descriptor_limit();

/// Descriptors that are open now; nothing when none is left to look with.
std::optional<std::size_t> open_descriptors();

} // namespace signalbox
