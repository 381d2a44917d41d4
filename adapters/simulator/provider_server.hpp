#pragma once

#include "adapters/simulator/closing_log.hpp"
#include "adapters/simulator/postponed_answers.hpp"
#include "adapters/simulator/provider_connection.hpp"
#include "adapters/simulator/provider_service.hpp"
#include "adapters/simulator/tls_material.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/json/object.hpp>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

namespace signalbox::sim {

/// The listener and the connections of one simulated provider, on 127.0.0.1. Not thread-safe: it
/// lives on the I/O thread.
class provider_server {
public:
  /// `name` is that of the provider in the log. `port` 0 picks a free one. Throws
  /// `boost::system::system_error` when the port is taken or the certificate cannot be read.
  /// `service` outlives the server.
  provider_server(const boost::asio::any_io_executor& executor, std::string name,
                  std::uint16_t port, const tls_material& tls, provider_service& service);
  ~provider_server();

  std::uint16_t port() const { return acceptor_.local_endpoint().port(); }

  void start() { accept(); }

  /// Accepts no more, sends the answers that wait, says GOAWAY and closes; connections whose peer
  /// does not read are cut off after 3 s.
  void stop();

  /// Applies members of `POST /faults` to the service and to the open connections.
  std::optional<fault_error> set_faults(const boost::json::object& members);

  /// Clears the counters and the faults.
  void reset();

  // For the connections:

  const std::string& name() const noexcept { return name_; }
  closing_log& log() noexcept { return log_; }
  provider_service& service() noexcept { return service_; }
  boost::asio::any_io_executor executor() { return acceptor_.get_executor(); }
  boost::asio::ssl::context& tls_context() noexcept { return tls_context_; }

  /// True if the faults make the stream's answer wait; it is sent later then.
  bool postpone(provider_connection& connection, std::int32_t stream_id);

  bool refuses_next_stream();

  void forget(provider_connection& connection);

private:
  void accept();
  void accept_later();
  void follow_faults(const fault_settings& before);
  std::vector<std::shared_ptr<provider_connection>> open_connections() const;

  const std::string name_;
  provider_service& service_;
  closing_log log_;
  boost::asio::ssl::context tls_context_;
  boost::asio::ip::tcp::acceptor acceptor_;
  boost::asio::steady_timer stop_deadline_;
  boost::asio::steady_timer accept_pause_;
  postponed_answers postponed_;
  std::unordered_map<provider_connection*, std::shared_ptr<provider_connection>> connections_;
  std::uint64_t streams_ = 0;
  bool stopping_ = false;
};

} // namespace signalbox::sim
