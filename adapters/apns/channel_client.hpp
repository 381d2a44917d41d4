#pragma once

#include "actors/ports/broadcast_channels.hpp"
#include "adapters/apns/transport.hpp"
#include "adapters/http2/client_options.hpp"
#include "adapters/http2/proxy_settings.hpp"

#include <chrono>
#include <memory>
#include <string>

namespace signalbox {

struct apns_channel_options {
  network_host production{"api-manage-broadcast.push.apple.com", "2196"};
  network_host sandbox{"api-manage-broadcast.sandbox.push.apple.com", "2195"};
  /// PEM bundle of trust anchors; empty: the system's.
  std::string ca_file;
  std::chrono::milliseconds request_timeout{10'000};
  std::chrono::milliseconds connect_timeout{10'000};
  proxy_settings proxy;
  connection_board* board = nullptr; ///< outlives the client; null: nobody is told
};

/// Broadcast channels at APNs, over one connection for each app and environment, on an I/O thread
/// of its own: not that of any sender.
class apns_channel_client final : public broadcast_channels {
public:
  /// Throws std::runtime_error, naming the file, when the trust anchors cannot be read.
  explicit apns_channel_client(apns_channel_options options);
  /// Answers what is under way with `stopping`.
  ~apns_channel_client() override;

  /// Adds an app, or lets it go on with another bundle or key. Thread-safe.
  void set_app(app_id app, apns_app settings);

  // Callbacks are called on the I/O thread, or on the caller's for an app without credentials.
  void create_channel(app_id app, environment env, message_storage storage,
                      callback<std::string> done) override;
  void list_channels(app_id app, environment env, page_request page,
                     callback<page_of<std::string>> done) override;
  void delete_channel(app_id app, environment env, std::string channel,
                      callback<unit> done) override;

private:
  class core;
  const std::unique_ptr<core> core_;
};

} // namespace signalbox
