#include "adapters/apns/transport.hpp"

#include "actors/apns_reactions.hpp"
#include "adapters/apns/rendered_jobs.hpp"
#include "adapters/apns/request_writer.hpp"

#include <map>
#include <mutex>
#include <optional>
#include <utility>

namespace signalbox {

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
    auto pool = pool_options_to(dest, server, options);
    // The handle into Apple's log, which only the sandbox gives.
    if (!in_production)
      pool.connection.keeps.header = "apns-unique-id";
    return pool_setup{std::move(pool), [authority = authority_of(server), bundle = app.bundle,
                                        token = std::move(token), jobs = jobs] {
                        return std::make_unique<apns_request_writer>(authority, bundle, token,
                                                                     jobs);
                      }};
  }

  const apns_transport_options options;
  std::mutex mutex;
  std::map<app_id, apns_app> apps;
  const std::shared_ptr<rendered_jobs> jobs = std::make_shared<rendered_jobs>();
};

apns_transport::apns_transport(apns_transport_options options)
  : apns_transport{std::make_shared<registry>(std::move(options))} {}

apns_transport::apns_transport(std::shared_ptr<registry> apps)
  : delivery_loop{{.thread_name = "apns-io",
                   .ca_file = apps->options.ca_file,
                   .setup = [apps](const destination& dest) { return apps->setup(dest); },
                   .unknown_destination = apns_no_credentials}},
    apps_{std::move(apps)} {}

void apns_transport::set_app(app_id app, apns_app settings) {
  {
    std::lock_guard lock{apps_->mutex};
    auto& known = apps_->apps[app];
    if (known == settings)
      return;
    known = std::move(settings);
  }
  reconfigure(app);
}

void apns_transport::remove_app(app_id app) {
  {
    std::lock_guard lock{apps_->mutex};
    apps_->apps.erase(app);
  }
  reconfigure(app);
}

} // namespace signalbox
