#pragma once

#include "actors/connection_board.hpp"
#include "actors/lane_supervisor.hpp"
#include "adapters/apns/channel_client.hpp"
#include "adapters/apns/provider_token_keeper.hpp"
#include "adapters/apns/transport.hpp"
#include "adapters/fcm/access_token_keeper.hpp"
#include "messages/activity.hpp"
#include "messages/destination.hpp"
#include "messages/payload_refusal.hpp"
#include "runtime/node_settings.hpp"

#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace signalbox {

/// The providers of a node: their credentials, kept fresh, and what its lanes send with. A provider
/// without credentials rejects what it is given.
class providers {
public:
  using renewal_sink = std::function<void(const destination&)>;

  /// `settings` and `connections` outlive this. `on_renewed` is told, on other threads, of each
  /// destination that has a new token: what was refused before may not be refused any more.
  providers(const node_settings& settings, connection_board& connections, renewal_sink on_renewed)
    : settings_{settings}, connections_{connections}, on_renewed_{std::move(on_renewed)} {}

  /// Reads the credentials. Says what is wrong with them, naming the file; empty when all is well.
  std::string start();

  /// For each of a lane's supervisors.
  std::vector<provider_options> options() const;

  /// Broadcast channels at APNs. After `start`.
  broadcast_channels& channels() const { return *channels_; }

  /// Requests that one sender can have under way at one destination, at the provider that allows
  /// more.
  std::size_t streams() const;

  /// Why a job's payload cannot be sent: too large for a provider, or not what it takes. FCM has a
  /// say where it is configured. Thread-safe.
  std::optional<payload_refusal> check_payload(std::string_view payload) const;

  /// The same for a dispatch of a Live Activity, whose activity_request::apns_bytes it sets:
  /// `payload` is new_job::payload.
  std::optional<payload_refusal> check_activity(std::string_view payload,
                                                activity_request& request) const;

  /// Reads the credentials again. Returns at once; `done` is called, on another thread, for each
  /// destination that goes on with what was read.
  void reload(std::function<void(const destination&)> done);

private:
  std::string start_apns();
  std::string start_channels();
  std::string start_fcm();

  const node_settings& settings_;
  connection_board& connections_;
  const renewal_sink on_renewed_;
  std::unique_ptr<provider_token_keeper> apns_tokens_;
  apns_app apns_app_;
  std::unique_ptr<apns_channel_client> channels_;
  std::unique_ptr<access_token_keeper> fcm_tokens_;
  std::shared_ptr<access_token> fcm_token_;
};

} // namespace signalbox
