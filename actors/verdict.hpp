#pragma once

#include "messages/outcome.hpp"

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

namespace signalbox {

/// What an answer says of the provider, beside the one target it was about.
enum class trouble : std::uint8_t {
  none,
  outage,        ///< no connection, no answer in time, 5xx: counts towards the outage breaker
  configuration, ///< the provider refuses the credentials: opens the configuration breaker
};

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
  std::string unique_id; ///< answer::unique_id
  signalbox::trouble trouble = signalbox::trouble::none;
  /// The provider asks to slow down for this device (429): the backoff is at least half its
  /// ceiling.
  bool throttled = false;
  invalidation invalidate = invalidation::none;
  std::optional<timestamp> unregistered_at;        ///< the 410's timestamp
  std::optional<std::chrono::seconds> retry_after; ///< the provider's wish
};

} // namespace signalbox
