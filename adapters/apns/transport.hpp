#pragma once

#include "adapters/apns/provider_token.hpp"
#include "adapters/http2/client_options.hpp"
#include "adapters/http2/delivery_loop.hpp"
#include "adapters/http2/delivery_options.hpp"
#include "messages/ids.hpp"

#include <memory>
#include <string>

namespace signalbox {

/// What an app sends with. Without a token, its targets are answered unsent, `no_credentials`.
struct apns_app {
  std::string bundle;                         ///< the apns-topic
  std::shared_ptr<provider_token> production; ///< of the environment, see provider_token_keeper
  std::shared_ptr<provider_token> sandbox;

  bool operator==(const apns_app&) const = default;
};

struct apns_transport_options : delivery_options {
  network_host production{"api.push.apple.com", "443"};
  network_host sandbox{"api.sandbox.push.apple.com", "443"};
};

/// APNs for one sender instance: an I/O thread of its own, and for every (app, environment) a pool
/// of connections, so that no connection carries two teams' tokens.
///
/// It carries out by itself what an answer asks for beside the target's fate
/// (actors/apns_reactions.hpp): it asks for a new provider token, and it opens new connections. The
/// actor decides about retries, invalidation and pauses.
class apns_transport final : public delivery_loop {
public:
  /// Throws std::runtime_error, naming the file, when the trust anchors cannot be read.
  explicit apns_transport(apns_transport_options options);

  /// Adds an app, or lets it go on with another bundle or key, on new connections; nothing
  /// happens when it is the same as before. Thread-safe.
  void set_app(app_id app, apns_app settings);
  /// Targets of the app that wait are answered unsent. Thread-safe.
  void remove_app(app_id app);

private:
  struct registry;

  explicit apns_transport(std::shared_ptr<registry> apps);

  const std::shared_ptr<registry> apps_;
};

} // namespace signalbox
