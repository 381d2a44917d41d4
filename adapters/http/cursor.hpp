#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace signalbox::http {

/// Wraps a store's key into an opaque cursor (base64url) that only opens for the same query.
std::string make_cursor(std::string_view key, std::string_view query);

/// The key inside; nothing if `cursor` was not made for `query`. A check against mistakes, not
/// against forgery: a key opens nothing that the query may not see.
std::optional<std::string> open_cursor(std::string_view cursor, std::string_view query);

} // namespace signalbox::http
