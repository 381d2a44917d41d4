#pragma once

#include <boost/asio/buffer.hpp>
#include <boost/asio/connect.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/streambuf.hpp>
#include <boost/asio/write.hpp>

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <thread>
#include <vector>

namespace signalbox {

/// A TCP relay on loopback that can fall silent without closing anything, as a dead network does,
/// and that can be an HTTP proxy which understands CONNECT.
class tcp_relay {
  using tcp = boost::asio::ip::tcp;

public:
  enum class mode { plain, connect_proxy, refusing_proxy };

  explicit tcp_relay(std::uint16_t target_port, mode how = mode::plain)
    : target_{boost::asio::ip::make_address("127.0.0.1"), target_port}, mode_{how},
      acceptor_{io_, tcp::endpoint{boost::asio::ip::make_address("127.0.0.1"), 0}},
      port_{acceptor_.local_endpoint().port()} {
    accept();
    thread_ = std::thread{[this] { io_.run(); }};
  }

  ~tcp_relay() {
    io_.stop();
    thread_.join();
  }

  std::uint16_t port() const { return port_; }
  /// From now on nothing passes, on the connections there are and on new ones.
  void freeze() { frozen_ = true; }
  /// New connections pass again; what froze stays so.
  void thaw() { frozen_ = false; }
  std::size_t accepted() const { return accepted_; }
  /// Bytes that clients have sent.
  std::size_t sent_up() const { return sent_up_; }
  /// What a refusing proxy answers; to be set before it is asked.
  std::string refusal = "HTTP/1.1 407 Proxy Authentication Required\r\n\r\n";
  /// The head of the last CONNECT.
  std::string connect_head() const { return connect_head_; }

private:
  struct link : std::enable_shared_from_this<link> {
    explicit link(tcp_relay& owner) : relay{owner}, client{owner.io_}, server{owner.io_} {}

    void start() {
      if (relay.mode_ == mode::plain)
        return join();
      boost::asio::async_read_until(client, head, "\r\n\r\n",
                                    [self = shared_from_this()](auto error, std::size_t size) {
                                      if (!error)
                                        self->answer_connect(size);
                                    });
    }

    void answer_connect(std::size_t size) {
      relay.connect_head_.assign(static_cast<const char*>(head.data().data()), size);
      reply = relay.mode_ == mode::connect_proxy
                ? std::string{"HTTP/1.1 200 Connection established\r\n\r\n"}
                : relay.refusal;
      boost::asio::async_write(client, boost::asio::buffer(reply),
                               [self = shared_from_this()](auto error, std::size_t) {
                                 if (!error && self->relay.mode_ == mode::connect_proxy)
                                   self->join();
                               });
    }

    void join() {
      server.async_connect(relay.target_, [self = shared_from_this()](auto error) {
        if (error)
          return;
        self->pass(self->client, self->server, self->up);
        self->pass(self->server, self->client, self->down);
      });
    }

    void pass(tcp::socket& from, tcp::socket& to, std::array<char, 16384>& buffer) {
      from.async_read_some(boost::asio::buffer(buffer), [self = shared_from_this(), &from, &to,
                                                         &buffer](auto error, std::size_t size) {
        if (&from == &self->client)
          self->relay.sent_up_ += size;
        if (self->relay.frozen_)
          self->stuck = true;
        if (self->stuck)
          return self->relay.keep(self);
        if (error) {
          boost::system::error_code ignored;
          from.close(ignored);
          to.close(ignored);
          return;
        }
        boost::asio::async_write(to, boost::asio::buffer(buffer, size),
                                 [self, &from, &to, &buffer](auto failure, std::size_t) {
                                   if (!failure)
                                     self->pass(from, to, buffer);
                                 });
      });
    }

    tcp_relay& relay;
    tcp::socket client;
    tcp::socket server;
    boost::asio::streambuf head;
    std::string reply;
    std::array<char, 16384> up{};
    std::array<char, 16384> down{};
    bool stuck = false;
  };

  void keep(const std::shared_ptr<link>& stuck) { stuck_.push_back(stuck); }

  void accept() {
    auto next = std::make_shared<link>(*this);
    acceptor_.async_accept(next->client, [this, next](auto error) {
      if (error)
        return;
      ++accepted_;
      if (frozen_)
        keep(next);
      else
        next->start();
      accept();
    });
  }

  boost::asio::io_context io_{1};
  const tcp::endpoint target_;
  const mode mode_;
  tcp::acceptor acceptor_;
  const std::uint16_t port_;
  std::atomic<bool> frozen_{false};
  std::atomic<std::size_t> accepted_{0};
  std::atomic<std::size_t> sent_up_{0};
  std::string connect_head_;
  std::vector<std::shared_ptr<link>> stuck_;
  std::thread thread_;
};

} // namespace signalbox
