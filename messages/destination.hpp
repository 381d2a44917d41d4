#pragma once

#include "messages/ids.hpp"

#include <compare>
#include <cstdint>
#include <optional>
#include <string_view>

namespace signalbox {

/// The provider that a token belongs to.
enum class platform : std::uint8_t { apns = 1, fcm = 2 };

/// APNs keeps production and sandbox tokens apart; FCM tokens are always `production`.
enum class environment : std::uint8_t { production = 1, sandbox = 2 };

std::string_view to_string(platform value);
std::string_view to_string(environment value);
std::optional<platform> parse_platform(std::string_view text);
std::optional<environment> parse_environment(std::string_view text);

/// What connections, windows, credit and breakers are kept for, in each lane.
struct destination {
  app_id app = default_app;
  platform provider = platform::apns;
  environment env = environment::production;

  auto operator<=>(const destination&) const = default;
};

} // namespace signalbox
