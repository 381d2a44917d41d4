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
    auto pool = pool_options_to(dest, options.server, options);
    pool.gate = known->second->gate();
    return pool_setup{std::move(pool), [authority = authority_of(options.server),
                                        token = known->second, bodies = bodies] {
                        return std::make_unique<fcm_request_writer>(authority, token, bodies);
                      }};
  }

  const fcm_transport_options options;
  std::mutex mutex;
  std::map<app_id, std::shared_ptr<access_token>> apps;
  const std::shared_ptr<rendered_bodies> bodies;
};

fcm_transport::fcm_transport(fcm_transport_options options)
  : fcm_transport{std::make_shared<registry>(std::move(options))} {}

fcm_transport::fcm_transport(std::shared_ptr<registry> apps)
  : delivery_loop{{.thread_name = "fcm-io",
                   .ca_file = apps->options.ca_file,
                   .setup = [apps](const destination& dest) { return apps->setup(dest); },
                   .unknown_destination = fcm_no_credentials}},
    apps_{std::move(apps)} {}

void fcm_transport::set_app(app_id app, std::shared_ptr<access_token> token) {
  {
    std::lock_guard lock{apps_->mutex};
    auto& known = apps_->apps[app];
    if (known == token)
      return;
    known = std::move(token);
  }
  reconfigure(app);
}

void fcm_transport::remove_app(app_id app) {
  {
    std::lock_guard lock{apps_->mutex};
    apps_->apps.erase(app);
  }
  reconfigure(app);
}

} // namespace signalbox
