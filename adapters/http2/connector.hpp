#pragma once

#include "adapters/http2/client_options.hpp"
#include "adapters/http2/dialer.hpp"
#include "messages/connection_fault.hpp"

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/streambuf.hpp>
#include <boost/system/error_code.hpp>

#include <functional>
#include <memory>
#include <string>

namespace signalbox {

/// Connects a TCP socket to a server: resolves its name, tries its addresses in turn, and asks a
/// proxy for a tunnel if there is one. Used once. Not thread-safe.
class connector : public std::enable_shared_from_this<connector> {
public:
  using error_code = boost::system::error_code;
  using callback = std::function<void(error_code error)>;

  /// Closing the socket stops it early; it is kept until the operation under way has ended.
  connector(std::shared_ptr<boost::asio::ip::tcp::socket> socket, const client_options& options);

  /// Calls `done` once, unless `cancel` comes first.
  void start(callback done);
  void cancel();

  /// Names what is under way, or failed, e.g. "resolve api.push.apple.com:443".
  const std::string& step() const { return step_; }
  connection_fault fault() const { return fault_; } ///< should that fail

private:
  void resolve(const network_host& at);
  void connect(const boost::asio::ip::tcp::resolver::results_type& endpoints);
  void ask_for_tunnel();
  void read_tunnel_answer();
  void take_tunnel_answer(std::size_t size);
  void finish(error_code error);

  const std::shared_ptr<boost::asio::ip::tcp::socket> socket_;
  boost::asio::ip::tcp::resolver resolver_;
  const std::shared_ptr<dialer> dialer_;
  const network_host server_;
  const std::optional<http_proxy> proxy_;
  std::string step_;
  connection_fault fault_ = connection_fault::resolve;
  std::string request_;
  boost::asio::streambuf answer_;
  callback done_;
};

} // namespace signalbox
