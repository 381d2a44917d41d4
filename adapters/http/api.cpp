#include "adapters/http/api.hpp"

#include <utility>

namespace signalbox::http {

router make_api(api_ports ports) {
  auto api = std::make_shared<const api_ports>(std::move(ports));
  router routes;
  add_health_routes(routes, api);
  add_user_routes(routes, api);
  add_token_routes(routes, api);
  add_topic_routes(routes, api);
  add_push_routes(routes, api);
  add_job_routes(routes, api);
  add_control_routes(routes, api);
  add_activity_routes(routes, api);
  add_activity_token_routes(routes, api);
  add_channel_routes(routes, api);
  add_dead_letter_routes(routes, api);
  add_breaker_routes(routes, api);
  add_event_routes(routes, api);
  return routes;
}

} // namespace signalbox::http
