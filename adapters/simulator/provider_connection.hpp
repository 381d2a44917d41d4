#pragma once

#include "adapters/http2/tls_stream.hpp"
#include "adapters/simulator/exchange.hpp"
#include "adapters/simulator/http_session.hpp"

#include <boost/asio/ip/tcp.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace signalbox::sim {

class provider_server;
class provider_service;

/// One connection to a simulated provider: TLS, and on top the version of HTTP that ALPN agreed on.
/// Without ALPN that is HTTP/2, as APNs does; where the service takes HTTP/1.1, too, the client's
/// first bytes tell. When it ends, the log says why. Lives on the I/O thread.
class provider_connection final : public tls_stream::handler,
                                  public std::enable_shared_from_this<provider_connection> {
public:
  /// `server` outlives the connection.
  explicit provider_connection(provider_server& server);
  ~provider_connection();

  boost::asio::ip::tcp::socket& socket() noexcept { return stream_->socket(); }
  void start();

  /// Queues the answer that was postponed for a request. `flush` follows after the last one.
  void send_postponed(std::int32_t stream_id);
  void flush() { stream_->flush(); }

  /// Announces the `max_streams` of the faults.
  void update_max_streams();

  /// Sends what is queued and closes.
  void stop();

  /// Closes at once.
  void close() { stream_->close(); }

  // For the session on top:

  provider_server& server() noexcept { return server_; }
  provider_service& service() noexcept;

  /// Acts on the fate that the service gave to a request: true if its answer goes out now.
  bool is_due(const answer& reply, std::int32_t stream_id);

  /// A request asked for the connection to be reset, so it takes no more bytes.
  bool is_resetting() const noexcept { return is_resetting_; }

  /// Why the connection is about to end, for the log; the first reason given counts.
  void explain(std::string reason, bool is_trouble);

  void on_open() override;
  bool on_bytes(std::span<const std::uint8_t> bytes) override;
  void fill(std::vector<std::uint8_t>& out, std::size_t limit) override;
  void on_close(tls_stream::error_code error) override;

private:
  void open_session(bool is_http2);
  void explain_end(tls_stream::error_code error);

  provider_server& server_;
  std::shared_ptr<tls_stream> stream_;
  boost::asio::ip::tcp::endpoint peer_;
  std::unique_ptr<http_session> session_; ///< none before its version is known
  std::string first_bytes_;
  std::uint64_t requests_ = 0;
  std::string reason_;
  bool is_trouble_ = false;
  bool is_resetting_ = false;
};

} // namespace signalbox::sim
