#pragma once

#include "actors/ports/callback.hpp"
#include "actors/ports/page.hpp"
#include "messages/destination.hpp"
#include "messages/ids.hpp"

#include <cstdint>
#include <string>

namespace signalbox {

/// What a broadcast channel keeps for devices that are not reachable. It cannot be changed.
enum class message_storage : std::uint8_t {
  none,   ///< nothing: its broadcasts are tried once
  latest, ///< the latest broadcast, for up to 8 h
};

/// The broadcast channels of an app at APNs, by which one request updates a Live Activity on any
/// number of devices (Apple, "Sending channel management requests to APNs"). Asynchronous and
/// thread-safe. Nothing is stored here: APNs is asked each time.
///
/// Errors: not_found for a channel that does not exist in the environment; invalid for what is no
/// channel id; conflict for what APNs refuses and a repetition does not change, such as missing
/// credentials or one channel too many, with Apple's reason in the message; busy and unavailable
/// when it is worth trying again (a creation that was not answered may have made a channel all the
/// same); stopping.
class broadcast_channels {
public:
  virtual ~broadcast_channels() = default;

  /// Answers the id of the new channel: base64.
  virtual void create_channel(app_id app, environment env, message_storage storage,
                              callback<std::string> done) = 0;
  /// The ids, sorted.
  virtual void list_channels(app_id app, environment env, page_request page,
                             callback<page_of<std::string>> done) = 0;
  virtual void delete_channel(app_id app, environment env, std::string channel,
                              callback<unit> done) = 0;
};

} // namespace signalbox
