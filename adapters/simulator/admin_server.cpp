#include "adapters/simulator/admin_server.hpp"

#include "adapters/io/event_loop.hpp"
#include "adapters/simulator/admin_routes.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http/message.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/string_body.hpp>
#include <boost/beast/http/write.hpp>

#include <chrono>
#include <optional>
#include <string_view>
#include <thread>
#include <utility>

namespace signalbox::sim {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = boost::beast::http;
using asio::ip::tcp;

namespace {

constexpr std::size_t longest_body = 1024 * 1024;
constexpr auto idle_timeout = std::chrono::seconds{60};
constexpr auto accept_pause = std::chrono::milliseconds{100};
constexpr auto linger_timeout = std::chrono::seconds{2};

std::string_view view(beast::string_view text) {
  return {text.data(), text.size()};
}

class connection : public std::enable_shared_from_this<connection> {
public:
  connection(tcp::socket socket, simulator& target) : stream_{std::move(socket)}, target_{target} {}

  void read() {
    parser_.emplace();
    parser_->body_limit(longest_body);
    stream_.expires_after(idle_timeout);
    http::async_read(
      stream_, buffer_, *parser_,
      [self = shared_from_this()](beast::error_code error, std::size_t) { self->on_read(error); });
  }

private:
  void on_read(beast::error_code error) {
    if (error == http::error::body_limit)
      return reply({413, problem(413, "the body exceeds 1 MiB")}, false);
    if (error)
      return;
    const auto& request = parser_->get();
    reply(
      answer_admin(target_, view(request.method_string()), view(request.target()), request.body()),
      request.keep_alive());
  }

  void reply(const admin_reply& what, bool keep_alive) {
    response_ = {};
    response_.result(static_cast<unsigned>(what.status));
    response_.set(http::field::content_type,
                  what.status < 400 ? "application/json" : "application/problem+json");
    response_.keep_alive(keep_alive);
    response_.body() = serialize(what.body) + "\n";
    response_.prepare_payload();
    http::async_write(stream_, response_,
                      [self = shared_from_this()](beast::error_code error, std::size_t) {
                        if (error)
                          return;
                        if (self->response_.keep_alive())
                          return self->read();
                        beast::error_code ignored;
                        self->stream_.socket().shutdown(tcp::socket::shutdown_send, ignored);
                        self->stream_.expires_after(linger_timeout);
                        self->linger();
                      });
  }

  // A close with bytes unread resets the connection, and the client may never see the answer.
  void linger() {
    buffer_.clear();
    stream_.async_read_some(buffer_.prepare(64 * 1024),
                            [self = shared_from_this()](beast::error_code error, std::size_t) {
                              if (!error)
                                self->linger();
                            });
  }

  beast::tcp_stream stream_;
  simulator& target_;
  beast::flat_buffer buffer_;
  std::optional<http::request_parser<http::string_body>> parser_;
  http::response<http::string_body> response_;
};

} // namespace

struct admin_server::state {
  state(std::uint16_t port, simulator& target)
    : target{target}, acceptor{io, {asio::ip::address_v4::loopback(), port}} {}

  void accept() {
    acceptor.async_accept([this](boost::system::error_code error, tcp::socket socket) {
      if (error == asio::error::operation_aborted)
        return;
      if (error)
        return accept_later();
      std::make_shared<connection>(std::move(socket), target)->read();
      accept();
    });
  }

  // Without a descriptor for it, the next accept would fail at once, too.
  void accept_later() {
    pause.expires_after(accept_pause);
    pause.async_wait([this](boost::system::error_code error) {
      if (!error)
        accept();
    });
  }

  simulator& target;
  asio::io_context io{1};
  tcp::acceptor acceptor;
  asio::steady_timer pause{io};
  std::thread thread;
};

admin_server::admin_server(std::uint16_t port, simulator& target)
  : state_{std::make_unique<state>(port, target)}, port_{state_->acceptor.local_endpoint().port()} {
}

admin_server::~admin_server() {
  stop();
}

void admin_server::start() {
  state_->accept();
  state_->thread = std::thread{[state = state_.get()] { run_loop(state->io, "sim-admin"); }};
}

void admin_server::stop() {
  if (!state_->thread.joinable())
    return;
  state_->io.stop();
  state_->thread.join();
}

} // namespace signalbox::sim
