#pragma once

#include <cstdint>
#include <memory>

namespace signalbox::sim {

class simulator;

/// The simulator's admin interface: HTTP/1.1 on 127.0.0.1, JSON, on a thread of its own, so that it
/// answers while the providers are saturated. Routes: `admin_routes`.
class admin_server {
public:
  /// `port` 0 picks a free one. Throws `boost::system::system_error` when the port is taken.
  admin_server(std::uint16_t port, simulator& target);
  ~admin_server();

  std::uint16_t port() const noexcept { return port_; }

  void start();
  void stop();

private:
  struct state;

  std::unique_ptr<state> state_;
  std::uint16_t port_;
};

} // namespace signalbox::sim
