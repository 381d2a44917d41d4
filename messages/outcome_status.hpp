#pragma once

#include <cstdint>
#include <string_view>

namespace signalbox {

/// What became of a target. The numbers are stored in receipts: never change one. A target
/// with `retry` stays pending, and waits for its next try.
enum class outcome_status : std::uint8_t {
  accepted = 1,
  rejected = 2,
  unknown = 3,
  expired = 4,
  skipped = 5,
  retry = 6,
};

std::string_view to_string(outcome_status value);

} // namespace signalbox
