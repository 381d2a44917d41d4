#pragma once

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/system/error_code.hpp>

#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <vector>

namespace signalbox {

/// The addresses with the families in turn, beginning with that of the first, so that a family
/// without a route costs one of them (RFC 8305, section 4).
std::vector<boost::asio::ip::tcp::endpoint>
alternate_families(const std::vector<boost::asio::ip::tcp::endpoint>& addresses);

/// Connects a TCP socket to the first of several addresses that answers. One that is silent, as
/// behind a network that drops everything, has an equal share of half the time there is; only the
/// last may take as long as the caller lets it. Used once. Not thread-safe.
class dialer : public std::enable_shared_from_this<dialer> {
public:
  using error_code = boost::system::error_code;
  using callback = std::function<void(error_code error)>;

  dialer(std::shared_ptr<boost::asio::ip::tcp::socket> socket, std::chrono::milliseconds time);

  /// Calls `done` once, unless `cancel` comes first: with the last address's error if none answers.
  void start(std::vector<boost::asio::ip::tcp::endpoint> addresses, callback done);
  /// To be followed by the socket's close.
  void cancel();

private:
  void try_next();
  void limit_attempt();
  void end_attempt(error_code error);

  const std::shared_ptr<boost::asio::ip::tcp::socket> socket_;
  const std::chrono::milliseconds time_;
  boost::asio::steady_timer limit_;
  std::vector<boost::asio::ip::tcp::endpoint> addresses_;
  std::size_t next_ = 0;
  callback done_;
};

} // namespace signalbox
