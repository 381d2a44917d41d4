#pragma once

#include "messages/outcome.hpp"

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

namespace signalbox {

/// What a sender makes of a provider's answer, whichever provider it was.
struct verdict {
  enum class action : std::uint8_t {
    accept,
    reject,  ///< permanent
    retry,   ///< transient: may succeed later
    unknown, ///< left and was never answered: sent again with the same id, as on_unknown says
    unsent,  ///< never left: again later, without charging an attempt
  };

  action what = action::reject;
  std::string reason;
  invalidation invalidate = invalidation::none;
  std::optional<timestamp> unregistered_at;        ///< the 410's timestamp
  std::optional<std::chrono::seconds> retry_after; ///< the provider's wish
};

} // namespace signalbox
