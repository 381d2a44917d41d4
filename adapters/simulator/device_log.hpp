#pragma once

#include "adapters/simulator/exchange.hpp"

#include <boost/json/object.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

namespace signalbox::sim {

/// The last request for every device. Off until `enable(true)`, since it costs time and a copy of
/// each device's last request. Not thread-safe.
class device_log {
public:
  void enable(bool on) noexcept { enabled_ = on; }
  bool enabled() const noexcept { return enabled_; }

  /// Does nothing while off.
  void record(std::string_view token, const request& in);

  /// `{token, requests, last: {headers, body}}`; `body` is JSON, or a string where it is none.
  /// Nothing for a device never seen.
  std::optional<boost::json::object> find(std::string_view token) const;

  /// Forgets the devices; stays on or off.
  void clear() { devices_.clear(); }

private:
  struct device {
    std::uint64_t requests = 0;
    std::vector<std::pair<std::string, std::string>> headers;
    std::string body;
  };

  bool enabled_ = false;
  std::unordered_map<std::string, device> devices_;
};

} // namespace signalbox::sim
