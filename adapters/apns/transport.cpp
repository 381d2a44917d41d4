#include "adapters/apns/transport.hpp"

#include "actors/apns_reactions.hpp"
#include "adapters/apns/rendered_jobs.hpp"
#include "adapters/apns/request_writer.hpp"

#include <map>
#include <mutex>
#include <optional>
#include <utility>

namespace signalbox {

namespace {

std::string authority_of(const network_host& at) {
  return at.port == "443" ? at.host : at.host + ":" + at.port;
}

pool_options pool_options_of(const apns_transport_options& options, const network_host& server) {
  pool_options pool;
  pool.connections = options.connections;
  pool.reconnect = options.reconnect;
  pool.connection.server = server;
  pool.connection.proxy = options.proxy.for_host(server.host);
  pool.connection.max_streams = options.max_streams;
  pool.connection.request_timeout = options.request_timeout;
  pool.connection.connect_timeout = options.connect_timeout;
  pool.connection.ping_interval = options.ping_interval;
  pool.connection.ping_timeout = options.ping_timeout;
  pool.connection.idle_timeout = options.idle_timeout;
  return pool;
}

} // namespace

// Shared with the I/O thread, which may live on for a moment after the transport.
struct apns_transport::registry {
  explicit registry(apns_transport_options options) : options{std::move(options)} {}

  std::optional<pool_setup> setup(const destination& dest) {
    std::lock_guard lock{mutex};
    const auto known = apps.find(dest.app);
    if (known == apps.end())
      return std::nullopt;
    const bool in_production = dest.env == environment::production;
    const auto& app = known->second;
    auto token = in_production ? app.production : app.sandbox;
    if (!token)
      return std::nullopt;
    const auto& server = in_production ? options.production : options.sandbox;
    return pool_setup{
      pool_options_of(options, server), [authority = authority_of(server), bundle = app.bundle,
                                         token = std::move(token), jobs = jobs] {
        return std::make_unique<apns_request_writer>(authority, bundle, token, jobs);
      }};
  }

  const apns_transport_options options;
  std::mutex mutex;
  std::map<app_id, apns_app> apps;
  const std::shared_ptr<rendered_jobs> jobs = std::make_shared<rendered_jobs>();
};

apns_transport::apns_transport(apns_transport_options options)
  : options_{std::move(options)}, apps_{std::make_shared<registry>(options_)}, loop_{
                                                                                 loop_options()} {}

apns_transport::~apns_transport() = default;

delivery_loop_options apns_transport::loop_options() const {
  delivery_loop_options loop;
  loop.thread_name = "apns-io";
  loop.ca_file = options_.ca_file;
  loop.default_capacity = options_.connections * options_.max_streams;
  loop.setup = [apps = apps_](const destination& dest) { return apps->setup(dest); };
  loop.unknown_destination = apns_no_credentials;
  return loop;
}

void apns_transport::set_app(app_id app, apns_app settings) {
  {
    std::lock_guard lock{apps_->mutex};
    auto& known = apps_->apps[app];
    if (known == settings)
      return;
    known = std::move(settings);
  }
  loop_.reconfigure(app);
}

void apns_transport::remove_app(app_id app) {
  {
    std::lock_guard lock{apps_->mutex};
    apps_->apps.erase(app);
  }
  loop_.reconfigure(app);
}

void apns_transport::on_answers(std::function<void(std::vector<answer_batch>)> sink) {
  loop_.on_answers(std::move(sink));
}

void apns_transport::submit(work_ptr of, std::uint32_t first, std::uint32_t count) {
  loop_.submit(std::move(of), first, count);
}

void apns_transport::withdraw(work_ptr of) {
  loop_.withdraw(std::move(of));
}

std::size_t apns_transport::stream_capacity(const destination& dest) const {
  return loop_.stream_capacity(dest);
}

void apns_transport::stop(std::function<void()> done) {
  loop_.stop(std::move(done));
}

} // namespace signalbox
