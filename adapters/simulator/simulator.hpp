#pragma once

#include "adapters/simulator/fault_plan.hpp"
#include "adapters/simulator/tls_material.hpp"
#include "adapters/simulator/traffic_stats.hpp"

#include <boost/json/object.hpp>

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace signalbox::sim {

struct simulator_options {
  /// TCP ports on 127.0.0.1; 0 picks a free one.
  std::uint16_t apns_port = 0;
  std::uint16_t fcm_port = 0;
  std::uint16_t admin_port = 0;
  /// Holds certificates and keys, made where they are missing. Empty: a temporary directory that
  /// goes with the simulator.
  std::filesystem::path tls_dir;
  /// Host names that the certificate is for beside localhost; each an `is_host_name`.
  std::vector<std::string> names = {};
  /// The app's bundle id: the topics it accepts.
  std::string bundle = "com.example.app";
  /// The numeric content-state member by which Live Activity updates are ordered.
  std::string order_key = "seq";
  /// The member of FCM's `data` that names the job: with the token, what duplicates are known by.
  std::string job_marker = "signalbox_job";
  /// Of the generators behind the faults.
  std::uint64_t seed = 1;
  /// Keep every device's last request, however many there are.
  bool record_devices = false;
};

/// A provider simulator in this process: APNs, FCM and its token endpoint over TLS and HTTP/2 (FCM
/// over HTTP/1.1, too) on one I/O thread, and the admin interface over HTTP/1.1 on another. The
/// functions may be called from any thread but the simulator's own; they wait for the I/O thread's
/// next turn.
class simulator {
public:
  /// Makes the TLS material and takes the ports, so that the URLs are known. Throws
  /// `std::runtime_error` (a port that is taken, a directory that cannot be written).
  explicit simulator(simulator_options options);

  /// Stops.
  ~simulator();

  simulator(const simulator&) = delete;
  simulator& operator=(const simulator&) = delete;

  void start();

  /// Ends the connections in order and returns when they are closed, within about 3 s. Counters
  /// stay readable. A stopped simulator cannot be started again.
  void stop();

  std::uint16_t apns_port() const noexcept;
  std::uint16_t fcm_port() const noexcept;
  std::uint16_t admin_port() const noexcept;
  const tls_material& tls() const noexcept;

  /// The counters of one provider alone.
  traffic_totals apns_totals();
  traffic_totals fcm_totals();

  /// `GET /stats`: the sums over the providers, and each provider below `apns` and `fcm`.
  boost::json::object stats();

  /// `POST /faults`: `{"apns": {...}, "fcm": {...}, "record_devices": bool}`. Members given
  /// replace, absent ones stay. On an error (whose `member` is a path from the top) nothing has
  /// changed.
  std::optional<fault_error> set_faults(const boost::json::object& faults);

  /// `POST /reset`: clears counters, faults and recorded devices.
  void reset();

  /// `GET /stats/devices`: `{token, requests, last: {headers, body}}`; nothing for a device that is
  /// not kept (device_log).
  std::optional<boost::json::object> device(std::string_view token);

private:
  struct state;

  std::unique_ptr<state> state_;
};

} // namespace signalbox::sim
