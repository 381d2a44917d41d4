#pragma once

#include "adapters/fcm/access_token.hpp"
#include "adapters/http2/client_options.hpp"
#include "adapters/http2/delivery_loop.hpp"
#include "adapters/http2/delivery_options.hpp"
#include "messages/ids.hpp"

#include <memory>
#include <string>

namespace signalbox {

struct fcm_transport_options : delivery_options {
  network_host server{"fcm.googleapis.com", "443"};
  /// A member of `data` that gets the job id, for simulators that tell duplicates by it; empty:
  /// none.
  std::string job_marker;
};

/// FCM HTTP v1 for one sender instance: an I/O thread of its own, and for every app a pool of
/// connections.
///
/// After a 429 no request of the account's project leaves before its time, from this transport or
/// any other that has the same access token (adapters/http2/send_gate.hpp); what was submitted
/// waits here. After a 401 a new access token is asked for, and nothing leaves with the old one.
class fcm_transport final : public delivery_loop {
public:
  /// Throws std::runtime_error, naming the file, when the trust anchors cannot be read.
  explicit fcm_transport(fcm_transport_options options);

  /// Adds an app, or lets it go on with another account, on new connections; nothing happens when
  /// it is the same as before. Thread-safe.
  void set_app(app_id app, std::shared_ptr<access_token> token);
  /// Targets of the app that wait are answered unsent. Thread-safe.
  void remove_app(app_id app);

private:
  struct registry;

  explicit fcm_transport(std::shared_ptr<registry> apps);

  const std::shared_ptr<registry> apps_;
};

} // namespace signalbox
