#include "adapters/fcm/transport.hpp"

#include "actors/fcm_reactions.hpp"
#include "adapters/fcm/rendered_bodies.hpp"
#include "adapters/fcm/request_writer.hpp"

#include <map>
#include <mutex>
#include <optional>
#include <utility>

namespace signalbox {

// Shared with the I/O thread, which may live on for a moment after the transport.
struct fcm_transport::registry {
  explicit registry(fcm_transport_options given)
    : options{std::move(given)}, bodies{std::make_shared<rendered_bodies>(options.job_marker)} {}

  std::optional<pool_setup> setup(const destination& dest) {
    std::lock_guard lock{mutex};
    const auto known = apps.find(dest.app);
    if (known == apps.end())
      return std::nullopt;
    const auto& server = options.server;
    auto authority = server.port == "443" ? server.host : server.host + ":" + server.port;
    return pool_setup{pool_options_of(*known->second),
                      [authority = std::move(authority), token = known->second, bodies = bodies] {
                        return std::make_unique<fcm_request_writer>(authority, token, bodies);
                      }};
  }

  pool_options pool_options_of(const access_token& token) const {
    pool_options pool;
    pool.connections = options.connections;
    pool.reconnect = options.reconnect;
    pool.gate = token.gate();
    pool.connection.server = options.server;
    pool.connection.proxy = options.proxy.for_host(options.server.host);
    pool.connection.max_streams = options.max_streams;
    pool.connection.request_timeout = options.request_timeout;
    pool.connection.connect_timeout = options.connect_timeout;
    pool.connection.ping_interval = options.ping_interval;
    pool.connection.ping_timeout = options.ping_timeout;
    pool.connection.idle_timeout = options.idle_timeout;
    return pool;
  }

  const fcm_transport_options options;
  std::mutex mutex;
  std::map<app_id, std::shared_ptr<access_token>> apps;
  const std::shared_ptr<rendered_bodies> bodies;
};

fcm_transport::fcm_transport(fcm_transport_options options)
  : apps_{std::make_shared<registry>(std::move(options))}, loop_{loop_options()} {}

fcm_transport::~fcm_transport() = default;

delivery_loop_options fcm_transport::loop_options() const {
  delivery_loop_options loop;
  loop.thread_name = "fcm-io";
  loop.ca_file = apps_->options.ca_file;
  loop.default_capacity = apps_->options.connections * apps_->options.max_streams;
  loop.setup = [apps = apps_](const destination& dest) { return apps->setup(dest); };
  loop.unknown_destination = fcm_no_credentials;
  return loop;
}

void fcm_transport::set_app(app_id app, std::shared_ptr<access_token> token) {
  {
    std::lock_guard lock{apps_->mutex};
    auto& known = apps_->apps[app];
    if (known == token)
      return;
    known = std::move(token);
  }
  loop_.reconfigure(app);
}

void fcm_transport::remove_app(app_id app) {
  {
    std::lock_guard lock{apps_->mutex};
    apps_->apps.erase(app);
  }
  loop_.reconfigure(app);
}

void fcm_transport::on_answers(std::function<void(std::vector<answer_batch>)> sink) {
  loop_.on_answers(std::move(sink));
}

void fcm_transport::submit(work_ptr of, std::uint32_t first, std::uint32_t count) {
  loop_.submit(std::move(of), first, count);
}

void fcm_transport::withdraw(work_ptr of) {
  loop_.withdraw(std::move(of));
}

std::size_t fcm_transport::stream_capacity(const destination& dest) const {
  return loop_.stream_capacity(dest);
}

void fcm_transport::stop(std::function<void()> done) {
  loop_.stop(std::move(done));
}

} // namespace signalbox
