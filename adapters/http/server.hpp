#pragma once

#include "adapters/http/io_loop.hpp"
#include "adapters/http/router.hpp"
#include "adapters/http/server_options.hpp"
#include "adapters/io/log_limit.hpp"

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

namespace signalbox::http {

/// An HTTP/1.1 server with its own I/O threads. Handlers run on them and must not block.
///
/// Life: construct, `start`, `drain` (optional), `stop`. A server is not started twice.
class server {
public:
  server(server_options options, router routes);
  ~server();

  /// Listens and serves. Throws std::system_error, naming the address, when that fails.
  void start();
  /// The port it listens on.
  std::uint16_t port() const { return port_; }
  /// Open connections. Any thread.
  std::size_t connections() const { return state_.connections; }
  /// Any thread. Takes no more connections; those that are there are closed with the answer to the
  /// last request under way.
  void drain();
  /// Closes everything and joins the threads. Not from a handler.
  void stop();

private:
  void accept();
  void on_accept(boost::system::error_code ec, boost::asio::ip::tcp::socket socket);

  server_state state_;
  std::vector<std::unique_ptr<io_loop>> loops_;
  std::unique_ptr<boost::asio::ip::tcp::acceptor> acceptor_;
  std::unique_ptr<boost::asio::steady_timer> accept_pause_;
  log_limit accept_log_;
  std::size_t next_loop_ = 0;
  std::uint16_t port_ = 0;
};

} // namespace signalbox::http
