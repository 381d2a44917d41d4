#pragma once

#include "adapters/simulator/exchange.hpp"

#include <optional>
#include <string_view>

namespace signalbox::sim {

/// The parts of a request to APNs, as views into it, unchecked. An absent header has no value.
struct apns_request {
  enum class path_kind { device, no_device, other };

  std::string_view method;
  path_kind path = path_kind::other;
  /// The device token out of the path.
  std::string_view token;
  std::optional<std::string_view> authorization;
  std::optional<std::string_view> id;
  std::optional<std::string_view> topic;
  std::optional<std::string_view> push_type;
  std::optional<std::string_view> priority;
  std::optional<std::string_view> expiration;
  std::optional<std::string_view> collapse_id;
  /// One of the headers above came twice.
  bool has_duplicate = false;
};

apns_request parse_apns_request(const request& in);

/// A UUID in its canonical form, in lower case.
bool is_apns_id(std::string_view text) noexcept;

} // namespace signalbox::sim
