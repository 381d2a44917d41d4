#include "adapters/http2/connector.hpp"

#include "adapters/http2/plain_text.hpp"

#include <boost/asio/buffer.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/write.hpp>
#include <boost/system/errc.hpp>

#include <string_view>
#include <utility>

namespace signalbox {

namespace asio = boost::asio;
using asio::ip::tcp;

namespace {

constexpr std::size_t largest_tunnel_answer = 8 * 1024;

} // namespace

connector::connector(std::shared_ptr<tcp::socket> socket, const client_options& options)
  : socket_{std::move(socket)}, resolver_{socket_->get_executor()},
    dialer_{std::make_shared<dialer>(socket_, options.connect_timeout)}, server_{options.server},
    proxy_{options.proxy}, answer_{largest_tunnel_answer} {}

void connector::start(callback done) {
  done_ = std::move(done);
  resolve(proxy_ ? proxy_->at : server_);
}

void connector::cancel() {
  done_ = nullptr;
  resolver_.cancel();
  dialer_->cancel();
}

void connector::resolve(const network_host& at) {
  step_ = "resolve " + host_and_port(at);
  resolver_.async_resolve(at.host, at.port,
                          [self = shared_from_this()](error_code error, auto endpoints) {
                            if (error)
                              self->finish(error);
                            else
                              self->connect(endpoints);
                          });
}

void connector::connect(const tcp::resolver::results_type& endpoints) {
  if (!done_)
    return;
  fault_ = connection_fault::connect;
  step_ = "connect to " + host_and_port(proxy_ ? proxy_->at : server_);
  dialer_->start(alternate_families({endpoints.begin(), endpoints.end()}),
                 [self = shared_from_this()](error_code error) {
                   if (error || !self->proxy_)
                     self->finish(error);
                   else
                     self->ask_for_tunnel();
                 });
}

void connector::ask_for_tunnel() {
  if (!done_)
    return;
  fault_ = connection_fault::proxy;
  step_ = "proxy " + host_and_port(proxy_->at);
  const auto target = host_and_port(server_);
  request_ = "CONNECT " + target + " HTTP/1.1\r\nHost: " + target + "\r\n";
  if (!proxy_->authorization.empty())
    request_ += "Proxy-Authorization: " + proxy_->authorization + "\r\n";
  request_ += "\r\n";
  asio::async_write(*socket_, asio::buffer(request_),
                    [self = shared_from_this()](error_code error, std::size_t) {
                      if (error)
                        self->finish(error);
                      else
                        self->read_tunnel_answer();
                    });
}

void connector::read_tunnel_answer() {
  if (!done_)
    return;
  asio::async_read_until(*socket_, answer_, "\r\n\r\n",
                         [self = shared_from_this()](error_code error, std::size_t size) {
                           if (error)
                             self->finish(error);
                           else
                             self->take_tunnel_answer(size);
                         });
}

void connector::take_tunnel_answer(std::size_t size) {
  const std::string_view head{static_cast<const char*>(answer_.data().data()), size};
  const auto line = head.substr(0, head.find("\r\n"));
  const auto space = line.find(' ');
  const bool accepted = line.starts_with("HTTP/1.") && space != std::string_view::npos &&
                        line.substr(space + 1, 1) == "2";
  // The server speaks second in TLS: bytes after the head are no part of a tunnel.
  const bool clean = answer_.size() == size;
  step_ += ": " + plain_text(line);
  finish(accepted && clean ? error_code{}
                           : make_error_code(boost::system::errc::connection_refused));
}

void connector::finish(error_code error) {
  if (auto done = std::exchange(done_, nullptr))
    done(error);
}

} // namespace signalbox
