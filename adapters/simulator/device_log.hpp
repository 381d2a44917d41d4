#pragma once

#include "adapters/simulator/exchange.hpp"

#include <boost/json/object.hpp>

#include <bitset>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

namespace signalbox::sim {

/// What devices (and broadcast channels) got last. Bounded, since it has to cost little beside a
/// fan-out to millions: the `live_activity_limit` devices that came to Live Activities latest, and
/// the first `push_limit` that got anything else. `enable(true)` keeps all. Not thread-safe.
class device_log {
public:
  static constexpr std::size_t push_limit = 10'000;
  static constexpr std::size_t live_activity_limit = 100'000;

  /// Whether every device is kept.
  void enable(bool on) noexcept { keeps_all_ = on; }

  /// A request for `token`, whose `text_hash` is `hash`. It becomes the last one if it was
  /// accepted, and is counted in any case.
  void record(std::string_view token, std::uint64_t hash, const request& in, bool is_accepted,
              bool is_live_activity);

  /// `{token, requests, last: {headers, body, body_text}}`; `body` is JSON, or a string where it
  /// is none; `body_text` is what came, byte for byte, which reading numbers would change; `last`
  /// is null as long as nothing was accepted. Nothing for a device that is not kept.
  std::optional<boost::json::object> find(std::string_view token) const;

  /// Forgets the devices; goes on keeping all or not.
  void clear();

private:
  using shared_text = std::shared_ptr<const std::string>;

  struct device {
    std::string token;
    std::uint64_t requests = 0;
    std::string id;     ///< the apns-id header
    shared_text fields; ///< the other ones, as `name NUL value NUL`; none: nothing was accepted
    shared_text body;
  };

  static constexpr unsigned filter_bits = 17;
  static std::size_t filter_place(std::uint64_t hash) { return hash >> (64 - filter_bits); }

  device* place(std::string_view token, std::uint64_t hash, bool is_live_activity);
  void keep(const request& in, device& into);

  bool keeps_all_ = false;
  std::unordered_map<std::uint64_t, device> devices_;
  std::bitset<1 << filter_bits> filter_; ///< says cheaply of most devices that they are not kept
  std::size_t pushed_ = 0;               ///< devices that came by anything but Live Activities
  std::deque<std::uint64_t> live_activities_; ///< devices that came by them, oldest first
  std::string scratch_;
  // Of the request recorded last: most of a fan-out is the same for all.
  shared_text latest_fields_ = std::make_shared<std::string>();
  shared_text latest_body_ = std::make_shared<std::string>();
};

} // namespace signalbox::sim
