#pragma once

#include "actors/breaker_board.hpp"
#include "actors/job_door.hpp"
#include "actors/ports/activity_directory.hpp"
#include "actors/ports/broadcast_channels.hpp"
#include "actors/ports/clock.hpp"
#include "actors/ports/dead_letters.hpp"
#include "actors/ports/directory.hpp"
#include "actors/ports/job_control.hpp"
#include "actors/ports/job_reader.hpp"
#include "adapters/http/router.hpp"
#include "messages/payload_refusal.hpp"

#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace signalbox::http {

/// One line of `/readyz`.
struct readiness_check {
  std::string name; ///< e.g. "push.ingest"
  bool ok = true;
  std::string detail{}; ///< why not, or how far from it
};

/// What the routes work with. The references outlive the server.
struct api_ports {
  user_directory& users;
  topic_directory& topics;
  job_reader& jobs;
  job_control& control;
  dead_letter_office& dead_letters;
  activity_directory& activities;
  broadcast_channels& channels;
  const breaker_board& breakers;
  job_door& door;
  const wall_clock& clock;
  /// Why a payload (as in `new_job::payload`) cannot go to a provider, e.g. for its size; nothing
  /// when it can. Called on I/O threads.
  std::function<std::optional<payload_refusal>(std::string_view payload)> check_payload;
  /// The same for a dispatch of a Live Activity; sets activity_request::apns_bytes.
  std::function<std::optional<payload_refusal>(new_job& dispatch)> check_activity;
  /// Whether a lane that the door knows carries Live Activities, and so no pushes.
  std::function<bool(std::string_view lane)> is_activity_lane;
  /// The Prometheus text of `/metrics`.
  std::function<std::string()> metrics;
  /// The checks of `/readyz` beside the store and the stop: quick, on I/O threads.
  std::function<std::vector<readiness_check>()> checks;
  /// Bytes, for `tokens:batch` and `notifications`.
  std::size_t max_batch_body = 8 * 1024 * 1024;
  /// How far ahead a job may be scheduled, and from then on how late it may expire.
  std::chrono::milliseconds max_schedule = std::chrono::hours{24 * 366};
  /// What the providers would get of a push, as JSON: for a dry run. Called on I/O threads.
  std::function<std::string(const job_context& job)> render;
};

using api_ports_ptr = std::shared_ptr<const api_ports>;

/// All routes of the API (SPEC 4).
router make_api(api_ports ports);

// The groups of routes, by noun.
void add_health_routes(router& routes, api_ports_ptr api);
void add_user_routes(router& routes, api_ports_ptr api);
void add_token_routes(router& routes, api_ports_ptr api);
void add_topic_routes(router& routes, api_ports_ptr api);
void add_push_routes(router& routes, api_ports_ptr api);
void add_job_routes(router& routes, api_ports_ptr api);
void add_control_routes(router& routes, api_ports_ptr api); ///< pauses and the bulk cancel
void add_activity_routes(router& routes, api_ports_ptr api);
void add_activity_token_routes(router& routes, api_ports_ptr api); ///< and subscriptions
void add_channel_routes(router& routes, api_ports_ptr api);
void add_dead_letter_routes(router& routes, api_ports_ptr api);
void add_breaker_routes(router& routes, api_ports_ptr api);
void add_event_routes(router& routes, api_ports_ptr api);

} // namespace signalbox::http
