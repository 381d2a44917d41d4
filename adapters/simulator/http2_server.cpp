#include "adapters/simulator/http2_server.hpp"

#include <chrono>
#include <utility>
#include <vector>

namespace signalbox::sim {

namespace asio = boost::asio;
using asio::ip::tcp;

namespace {

constexpr auto accept_pause = std::chrono::milliseconds{100};
constexpr auto stop_timeout = std::chrono::seconds{3};

} // namespace

http2_server::http2_server(const asio::any_io_executor& executor, std::uint16_t port,
                           const tls_material& tls, provider_service& service)
  : service_{service}, tls_context_{asio::ssl::context::tls_server},
    acceptor_{executor, {asio::ip::address_v4::loopback(), port}}, stop_deadline_{executor},
    accept_pause_{executor}, postponed_{executor} {
  tls_context_.use_certificate_chain_file(tls.server_cert.string());
  tls_context_.use_private_key_file(tls.server_key.string(), asio::ssl::context::pem);
}

http2_server::~http2_server() = default;

void http2_server::accept() {
  auto session = std::make_shared<http2_session>(*this);
  auto& socket = session->socket();
  acceptor_.async_accept(
    socket, [this, session = std::move(session)](boost::system::error_code error) mutable {
      if (!acceptor_.is_open())
        return;
      if (error)
        return accept_later();
      auto& accepted = *session;
      sessions_.emplace(&accepted, std::move(session));
      accepted.start();
      accept();
    });
}

// Without a descriptor for it, the next accept would fail at once, too.
void http2_server::accept_later() {
  accept_pause_.expires_after(accept_pause);
  accept_pause_.async_wait([this](boost::system::error_code error) {
    if (!error && acceptor_.is_open())
      accept();
  });
}

void http2_server::stop() {
  if (std::exchange(stopping_, true))
    return;
  acceptor_.close();
  accept_pause_.cancel();
  postponed_.release_all();
  for (const auto& session : open_sessions())
    session->stop();
  if (sessions_.empty())
    return;
  stop_deadline_.expires_after(stop_timeout);
  stop_deadline_.async_wait([this](boost::system::error_code error) {
    while (!error && !sessions_.empty()) {
      const auto session = sessions_.begin()->second;
      session->close();
    }
  });
}

std::optional<fault_error> http2_server::set_faults(const boost::json::object& members) {
  const auto before = service_.faults().settings();
  if (auto error = service_.faults().apply(members))
    return error;
  follow_faults(before);
  return {};
}

void http2_server::reset() {
  const auto before = service_.faults().settings();
  service_.faults().clear();
  service_.stats().clear();
  service_.devices().clear();
  streams_ = 0;
  follow_faults(before);
}

void http2_server::follow_faults(const fault_settings& before) {
  const auto& now = service_.faults().settings();
  if (before.stall && !now.stall)
    postponed_.release_held();
  if (before.max_streams != now.max_streams)
    for (const auto& session : open_sessions())
      session->update_max_streams();
}

// A copy, since a session that closes leaves the map.
std::vector<std::shared_ptr<http2_session>> http2_server::open_sessions() const {
  std::vector<std::shared_ptr<http2_session>> open;
  for (const auto& [key, session] : sessions_)
    open.push_back(session);
  return open;
}

bool http2_server::postpone(http2_session& session, std::int32_t stream_id) {
  const auto& settings = service_.faults().settings();
  if (settings.stall) {
    postponed_.hold(session.shared_from_this(), stream_id);
    return true;
  }
  const auto latency = service_.faults().draw_latency();
  if (latency.count() == 0)
    return false;
  postponed_.delay(session.shared_from_this(), stream_id, latency);
  return true;
}

bool http2_server::refuses_next_stream() {
  const auto every = service_.faults().settings().refuse_every;
  return every != 0 && ++streams_ % every == 0;
}

void http2_server::forget(http2_session& session) {
  sessions_.erase(&session);
  if (stopping_ && sessions_.empty())
    stop_deadline_.cancel();
}

} // namespace signalbox::sim
