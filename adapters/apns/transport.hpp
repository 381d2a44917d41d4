#pragma once

#include "actors/ports/provider_transport.hpp"
#include "adapters/apns/provider_token.hpp"
#include "adapters/http2/backoff.hpp"
#include "adapters/http2/client_options.hpp"
#include "adapters/http2/delivery_loop.hpp"
#include "adapters/http2/pool_stats.hpp"
#include "adapters/http2/proxy_settings.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace signalbox {

/// What an app sends with. Without a token, its targets are answered unsent, `no_credentials`.
struct apns_app {
  std::string bundle;                         ///< the apns-topic
  std::shared_ptr<provider_token> production; ///< of the environment, see provider_token_keeper
  std::shared_ptr<provider_token> sandbox;

  bool operator==(const apns_app&) const = default;
};

struct apns_transport_options {
  network_host production{"api.push.apple.com", "443"};
  network_host sandbox{"api.sandbox.push.apple.com", "443"};
  /// PEM bundle of trust anchors; empty: the system's.
  std::string ca_file;
  std::size_t connections = 4;   ///< for each (app, environment)
  std::size_t max_streams = 100; ///< for each connection; the peer's SETTINGS may lower it
  std::chrono::milliseconds request_timeout{10'000};
  std::chrono::milliseconds connect_timeout{10'000};
  std::chrono::milliseconds ping_interval{30'000};
  std::chrono::milliseconds ping_timeout{10'000};
  std::chrono::milliseconds idle_timeout{30 * 60'000};
  backoff_range reconnect;
  proxy_settings proxy;
};

/// APNs for one sender instance: an I/O thread of its own, and for every (app, environment) a pool
/// of connections, so that no connection carries two teams' tokens.
///
/// It carries out by itself what an answer asks for beside the target's fate
/// (actors/apns_reactions.hpp): it asks for a new provider token, and it opens new connections. The
/// actor decides about retries, invalidation and pauses.
class apns_transport final : public provider_transport {
public:
  /// Throws std::runtime_error, naming the file, when the trust anchors cannot be read.
  explicit apns_transport(apns_transport_options options);
  /// Without a `stop` before, what is under way is never answered. May run on the I/O thread.
  ~apns_transport() override;

  /// Adds an app, or lets it go on with another bundle or key, on new connections; nothing
  /// happens when it is the same as before. Thread-safe.
  void set_app(app_id app, apns_app settings);
  /// Targets of the app that wait are answered unsent. Thread-safe.
  void remove_app(app_id app);

  void on_answers(std::function<void(std::vector<answer_batch>)> sink) override;
  void submit(work_ptr of, std::uint32_t first, std::uint32_t count) override;
  void withdraw(work_ptr of) override;
  std::size_t stream_capacity(const destination& dest) const override;
  /// `done` is called on the I/O thread, for every call. What is submitted after the stop is
  /// answered unsent until `done`, and dropped from then on.
  void stop(std::function<void()> done) override;

  /// Readable from any thread.
  const pool_stats& stats() const { return loop_.stats(); }

private:
  struct registry;

  delivery_loop_options loop_options() const;

  const apns_transport_options options_;
  const std::shared_ptr<registry> apps_;
  delivery_loop loop_;
};

} // namespace signalbox
