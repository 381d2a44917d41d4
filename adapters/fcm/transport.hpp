#pragma once

#include "actors/ports/provider_transport.hpp"
#include "adapters/fcm/access_token.hpp"
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

struct fcm_transport_options {
  network_host server{"fcm.googleapis.com", "443"};
  /// PEM bundle of trust anchors; empty: the system's.
  std::string ca_file;
  std::size_t connections = 4;   ///< for each app
  std::size_t max_streams = 100; ///< for each connection; the peer's SETTINGS may lower it
  std::chrono::milliseconds request_timeout{10'000};
  std::chrono::milliseconds connect_timeout{10'000};
  std::chrono::milliseconds ping_interval{30'000};
  std::chrono::milliseconds ping_timeout{10'000};
  std::chrono::milliseconds idle_timeout{30 * 60'000};
  backoff_range reconnect;
  proxy_settings proxy;
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
class fcm_transport final : public provider_transport {
public:
  /// Throws std::runtime_error, naming the file, when the trust anchors cannot be read.
  explicit fcm_transport(fcm_transport_options options);
  /// Without a `stop` before, what is under way is never answered. May run on the I/O thread.
  ~fcm_transport() override;

  /// Adds an app, or lets it go on with another account, on new connections; nothing happens when
  /// it is the same as before. Thread-safe.
  void set_app(app_id app, std::shared_ptr<access_token> token);
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

  const std::shared_ptr<registry> apps_;
  delivery_loop loop_;
};

} // namespace signalbox
