#pragma once

#include "adapters/simulator/exchange.hpp"

#include <optional>
#include <string_view>

namespace signalbox::sim {

/// The parts of a request to APNs, as views into it, unchecked. An absent header has no value.
struct apns_request {
  enum class path_kind {
    device,
    no_device,
    broadcast,    ///< /4/broadcasts/apps/<bundle>
    channels,     ///< /1/apps/<bundle>/channels
    all_channels, ///< /1/apps/<bundle>/all-channels
    other,
  };

  std::string_view method;
  path_kind path = path_kind::other;
  /// The device token out of the path; of a broadcast, the channel id.
  std::string_view token;
  /// The app out of the path of a broadcast or of channels.
  std::string_view bundle;
  std::optional<std::string_view> authorization;
  /// The apns-id; of a broadcast or a management request, the apns-request-id.
  std::optional<std::string_view> id;
  std::optional<std::string_view> channel_id;
  std::optional<std::string_view> topic;
  std::optional<std::string_view> push_type;
  std::optional<std::string_view> priority;
  std::optional<std::string_view> expiration;
  std::optional<std::string_view> collapse_id;
  /// One of the headers above came twice.
  bool has_duplicate = false;
};

/// Whether the request is about channels, and not about a device.
constexpr bool is_for_channels(apns_request::path_kind path) noexcept {
  return path == apns_request::path_kind::channels || path == apns_request::path_kind::all_channels;
}

apns_request parse_apns_request(const request& in);

/// A UUID in its canonical form, in lower case.
bool is_apns_id(std::string_view text) noexcept;

/// Whole seconds since 1970, as `apns-expiration` has them.
bool is_apns_epoch(std::string_view text) noexcept;

} // namespace signalbox::sim
