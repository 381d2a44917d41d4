#pragma once

#include "messages/destination.hpp"

#include <array>

namespace signalbox::sqlite {

/// Platform and environment as one stored number, the same for all apps.
using pool_code = int;

constexpr pool_code pool_of(platform provider, environment env) {
  return static_cast<int>(provider) * 16 + static_cast<int>(env);
}

constexpr destination destination_of(app_id app, pool_code pool) {
  return {app, static_cast<platform>(pool / 16), static_cast<environment>(pool % 16)};
}

/// Every pool that tokens can be in. SQL texts spell these numbers out: 17, 18, 33.
inline constexpr std::array all_pools{pool_of(platform::apns, environment::production),
                                      pool_of(platform::apns, environment::sandbox),
                                      pool_of(platform::fcm, environment::production)};
static_assert(all_pools == std::array{17, 18, 33});

/// FCM knows one environment, whatever the caller said.
constexpr environment stored_environment(platform provider, environment env) {
  return provider == platform::fcm ? environment::production : env;
}

/// The stored numbers of chunks.status.
enum class chunk_status : std::uint8_t { ready = 1, leased = 2, done = 3, parked = 4 };

} // namespace signalbox::sqlite
