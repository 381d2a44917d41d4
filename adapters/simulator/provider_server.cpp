#include "adapters/simulator/provider_server.hpp"

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

provider_server::provider_server(const asio::any_io_executor& executor, std::string name,
                                 std::uint16_t port, const tls_material& tls,
                                 provider_service& service)
  : name_{std::move(name)}, service_{service}, tls_context_{asio::ssl::context::tls_server},
    acceptor_{executor, {asio::ip::address_v4::loopback(), port}}, stop_deadline_{executor},
    accept_pause_{executor}, postponed_{executor} {
  tls_context_.use_certificate_chain_file(tls.server_cert.string());
  tls_context_.use_private_key_file(tls.server_key.string(), asio::ssl::context::pem);
}

provider_server::~provider_server() = default;

void provider_server::accept() {
  auto connection = std::make_shared<provider_connection>(*this);
  auto& socket = connection->socket();
  acceptor_.async_accept(
    socket, [this, connection = std::move(connection)](boost::system::error_code error) mutable {
      if (!acceptor_.is_open())
        return;
      if (error)
        return accept_later();
      auto& accepted = *connection;
      connections_.emplace(&accepted, std::move(connection));
      accepted.start();
      accept();
    });
}

// Without a descriptor for it, the next accept would fail at once, too.
void provider_server::accept_later() {
  accept_pause_.expires_after(accept_pause);
  accept_pause_.async_wait([this](boost::system::error_code error) {
    if (!error && acceptor_.is_open())
      accept();
  });
}

void provider_server::stop() {
  if (std::exchange(stopping_, true))
    return;
  acceptor_.close();
  accept_pause_.cancel();
  postponed_.release_all();
  for (const auto& connection : open_connections())
    connection->stop();
  if (connections_.empty())
    return;
  stop_deadline_.expires_after(stop_timeout);
  stop_deadline_.async_wait([this](boost::system::error_code error) {
    while (!error && !connections_.empty()) {
      const auto connection = connections_.begin()->second;
      connection->close();
    }
  });
}

std::optional<fault_error> provider_server::set_faults(const boost::json::object& members) {
  const auto before = service_.faults().settings();
  if (auto error = service_.faults().apply(members))
    return error;
  follow_faults(before);
  return {};
}

void provider_server::reset() {
  const auto before = service_.faults().settings();
  service_.faults().clear();
  service_.stats().clear();
  service_.devices().clear();
  streams_ = 0;
  follow_faults(before);
}

void provider_server::follow_faults(const fault_settings& before) {
  const auto& now = service_.faults().settings();
  if (before.stall && !now.stall)
    postponed_.release_held();
  if (before.max_streams != now.max_streams)
    for (const auto& connection : open_connections())
      connection->update_max_streams();
}

// A copy, since a connection that closes leaves the map.
std::vector<std::shared_ptr<provider_connection>> provider_server::open_connections() const {
  std::vector<std::shared_ptr<provider_connection>> open;
  for (const auto& [key, connection] : connections_)
    open.push_back(connection);
  return open;
}

bool provider_server::postpone(provider_connection& connection, std::int32_t stream_id) {
  const auto& settings = service_.faults().settings();
  if (settings.stall) {
    postponed_.hold(connection.shared_from_this(), stream_id);
    return true;
  }
  const auto latency = service_.faults().draw_latency();
  if (latency.count() == 0)
    return false;
  postponed_.delay(connection.shared_from_this(), stream_id, latency);
  return true;
}

bool provider_server::refuses_next_stream() {
  const auto every = service_.faults().settings().refuse_every;
  return every != 0 && ++streams_ % every == 0;
}

void provider_server::forget(provider_connection& connection) {
  connections_.erase(&connection);
  if (stopping_ && connections_.empty())
    stop_deadline_.cancel();
}

} // namespace signalbox::sim
