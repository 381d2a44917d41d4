#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>

#include <cstdint>

namespace signalbox {

/// A port of loopback on which nobody listens, and that nobody else is given for as long as this
/// lives: only who asks for its very number may listen on it.
class reserved_port {
  using tcp = boost::asio::ip::tcp;

public:
  reserved_port() {
    holder_.open(tcp::v4());
    holder_.set_option(tcp::acceptor::reuse_address{true});
    holder_.bind({boost::asio::ip::address_v4::loopback(), 0});
  }

  std::uint16_t number() const { return holder_.local_endpoint().port(); }

private:
  boost::asio::io_context io_;
  tcp::acceptor holder_{io_}; // bound, and never told to listen
};

} // namespace signalbox
