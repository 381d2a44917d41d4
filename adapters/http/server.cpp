#include "adapters/http/server.hpp"

#include "adapters/io/descriptors.hpp"

#include <boost/asio/error.hpp>
#include <boost/asio/ip/address.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/socket_base.hpp>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <chrono>
#include <string>
#include <system_error>
#include <utility>

namespace signalbox::http {

namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;

namespace {

/// What an accept that failed (no descriptors left) waits before the next.
constexpr std::chrono::milliseconds accept_retry{100};

} // namespace

server::server(server_options options, router routes) {
  state_.options = std::move(options);
  state_.routes = std::move(routes);
  for (unsigned i = 0; i < std::max(1u, state_.options.threads); ++i)
    loops_.push_back(std::make_unique<io_loop>(state_));
}

server::~server() {
  stop();
}

void server::start() {
  const auto& o = state_.options;
  auto& context = loops_.front()->context();
  try {
    acceptor_ = std::make_unique<tcp::acceptor>(
      context, tcp::endpoint{asio::ip::make_address(o.address), o.port});
  } catch (const boost::system::system_error& e) {
    throw std::system_error(e.code().value(), std::system_category(),
                            "cannot listen on " + o.address + " port " + std::to_string(o.port));
  }
  port_ = acceptor_->local_endpoint().port();
  accept_pause_ = std::make_unique<asio::steady_timer>(context);
  for (auto& loop : loops_)
    loop->start();
  asio::post(context, [this] { accept(); });
}

void server::accept() {
  auto& loop = *loops_[next_loop_];
  acceptor_->async_accept(loop.context(), [this](error_code ec, tcp::socket socket) {
    on_accept(ec, std::move(socket));
  });
}

void server::on_accept(error_code ec, tcp::socket socket) {
  if (ec == asio::error::operation_aborted || !acceptor_->is_open())
    return;
  if (ec) {
    if (accept_log_.is_due())
      spdlog::warn("event=accept_failed connections={} descriptors={} error={:?}",
                   state_.connections.load(), descriptor_limit(), ec.message());
    accept_pause_->expires_after(accept_retry);
    accept_pause_->async_wait([this](error_code stopped) {
      if (!stopped && acceptor_->is_open())
        accept();
    });
    return;
  }
  auto& loop = *loops_[next_loop_];
  next_loop_ = (next_loop_ + 1) % loops_.size();
  auto open = state_.connections.load();
  if (open < state_.options.max_connections + state_.options.max_refused) {
    ++state_.connections;
    loop.adopt(std::move(socket), open >= state_.options.max_connections);
  }
  accept();
}

void server::drain() {
  if (state_.draining.exchange(true))
    return;
  asio::post(loops_.front()->context(), [this] {
    error_code ignored;
    if (acceptor_)
      acceptor_->close(ignored);
    if (accept_pause_)
      accept_pause_->cancel();
  });
  for (auto& loop : loops_)
    loop->drain();
}

void server::stop() {
  // The acceptor's handlers run on the first loop and touch the others.
  for (auto& loop : loops_)
    loop->stop();
  acceptor_.reset();
  accept_pause_.reset();
}

} // namespace signalbox::http
