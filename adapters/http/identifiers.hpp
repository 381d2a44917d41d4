#pragma once

#include "messages/destination.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace signalbox::http {

/// What is wrong with the id of a user or a topic, as a sentence; empty when nothing is. An id is
/// 1 to 256 bytes of UTF-8 without control characters.
std::optional<std::string> check_identifier(std::string_view text);

/// The same for a `reference`, the caller's own id for a job: 1 to 128 bytes.
std::optional<std::string> check_reference(std::string_view text);

/// What is wrong with a device token: of APNs, an even number of hexadecimal digits; of FCM,
/// visible ASCII; of both, 1 to 4,096 bytes.
std::optional<std::string> check_token(platform provider, std::string_view token);

/// The form a token is stored in: APNs' is case-insensitive, so it is lower case.
std::string canonical_token(platform provider, std::string_view token);
/// The same where the platform is not named: what may be of APNs is taken for one of APNs.
std::string canonical_token(std::string_view token);

} // namespace signalbox::http
