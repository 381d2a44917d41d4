#include "runtime/node.hpp"

#include "actors/connection_board.hpp"
#include "actors/node_supervisor.hpp"
#include "adapters/http/api.hpp"
#include "adapters/http/event_texts.hpp"
#include "adapters/http/host_rule.hpp"
#include "adapters/http/server.hpp"
#include "adapters/io/descriptors.hpp"
#include "adapters/io/log_limit.hpp"
#include "adapters/store/sqlite/sqlite_store.hpp"
#include "adapters/telemetry/metrics.hpp"
#include "runtime/descriptor_budget.hpp"
#include "runtime/node_config.hpp"
#include "runtime/providers.hpp"
#include "runtime/rendered_preview.hpp"

#include <caf/actor_system.hpp>
#include <caf/scoped_actor.hpp>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <system_error>
#include <thread>
#include <unistd.h>
#include <utility>

namespace signalbox {

namespace {

class system_clock final : public wall_clock {
public:
  timestamp now() const override {
    return std::chrono::floor<std::chrono::milliseconds>(std::chrono::system_clock::now());
  }
  boot_clock::time_point boot_now() const override { return boot_clock::now(); }
};

std::string host_name() {
  char name[256] = {};
  return gethostname(name, sizeof name - 1) == 0 ? name : "localhost";
}

sqlite_options store_options(const node_settings::store_group& settings, const wall_clock& clock) {
  sqlite_options options;
  options.path = settings.path.string();
  options.owner = {host_name(), make_uuid_v7(clock.now())};
  options.readers = settings.readers;
  options.writer_cache_bytes = static_cast<std::int64_t>(settings.cache_bytes);
  options.reader_cache_bytes = static_cast<std::int64_t>(settings.reader_cache_bytes);
  options.mmap_bytes = static_cast<std::int64_t>(settings.mmap_bytes);
  options.busy_timeout = settings.busy_timeout;
  options.lock_wait = settings.lock_wait;
  options.min_free_bytes = static_cast<std::int64_t>(settings.min_free_bytes);
  return options;
}

http::server_options server_options(const node_settings::http_group& settings,
                                    const client_budget& clients) {
  http::server_options options;
  options.address = settings.address;
  options.port = settings.port;
  options.threads = static_cast<unsigned>(settings.threads);
  options.max_connections = clients.connections;
  options.max_refused = clients.refused;
  for (const auto& name : settings.hosts)
    if (auto host = http::parse_authority(name))
      options.hosts.push_back(std::move(host->name));
  options.max_body = settings.max_body_bytes;
  // Two of the largest bodies always fit.
  options.max_buffered_bodies =
    std::max(options.max_buffered_bodies, 2 * settings.max_batch_body_bytes);
  options.header_timeout = settings.header_timeout;
  options.body_timeout = settings.body_timeout;
  options.idle_timeout = settings.idle_timeout;
  return options;
}

client_budget share_descriptors(const node_settings& settings) {
  const auto limit = descriptor_limit();
  const auto clients = budget_descriptors(settings, limit);
  if (clients.wanted > limit)
    spdlog::warn(
      "event=descriptor_limit limit={} wanted={} max_connections={} "
      "text=\"the limit of open files is lower than the settings need: fewer clients are "
      "served at a time\"",
      limit, clients.wanted, clients.connections);
  return clients;
}

/// One full lane refuses its own jobs; only when all are full, others should be asked instead.
std::vector<http::readiness_check> check_mailboxes(const stage_directory& stages) {
  std::vector<http::readiness_check> checks;
  std::size_t lanes = 0;
  std::size_t full_lanes = 0;
  for (const auto& entry : stages.list()) {
    const bool is_door = entry.place.stage == "ingest";
    if (!is_door && entry.place.stage != "committer")
      continue;
    const auto depth = entry.mailbox->depth.load();
    const auto capacity = entry.mailbox->capacity.load();
    const bool is_full = depth * 100 >= capacity * 95;
    lanes += is_door;
    full_lanes += is_door && is_full;
    checks.push_back({is_door ? entry.place.lane + ".ingest" : entry.place.stage, !is_full,
                      std::to_string(depth) + " of " + std::to_string(capacity) + " places taken"});
  }
  if (full_lanes < lanes)
    for (auto& each : checks)
      each.ok = each.ok || each.name != "committer";
  return checks;
}

http::readiness_check check_descriptors(log_limit& log) {
  // Where fewer are left, the next connection or file of the node itself may not get one.
  constexpr std::size_t least_free = 8;
  const auto limit = descriptor_limit();
  const auto open = open_descriptors().value_or(limit);
  const bool ok = open + least_free <= limit;
  if (!ok && log.is_due())
    spdlog::warn("event=descriptors_short open={} limit={}", open, limit);
  return {"descriptors", ok, std::to_string(open) + " of " + std::to_string(limit) + " open"};
}

http::readiness_check check_disk(const sqlite::disk_state& disk) {
  return {"disk", disk.has_room,
          std::to_string(disk.free_bytes) + " bytes free; store.min-free-space is " +
            std::to_string(disk.min_free_bytes)};
}

/// What was begun before the configuration changed stays in the store, unsent.
void warn_of_other_lanes(sqlite_store& store, std::vector<std::string> configured) {
  store.count_open_jobs([configured = std::move(configured)](result<std::vector<lane_jobs>> found) {
    for (const auto& [lane, open] : found.value)
      if (std::find(configured.begin(), configured.end(), lane) == configured.end())
        spdlog::warn("event=lane_not_configured lane={} open_jobs={} "
                     "text=\"nothing is sent of them until the lane is configured again\"",
                     lane, open);
  });
}

/// A job that came before its lane would be told that there is none.
bool wait_for_lanes(const job_door& door, const std::vector<std::string>& lanes) {
  const auto limit = std::chrono::steady_clock::now() + std::chrono::seconds{10};
  return std::all_of(lanes.begin(), lanes.end(), [&](const std::string& lane) {
    while (!door.knows(lane) && std::chrono::steady_clock::now() < limit)
      std::this_thread::sleep_for(std::chrono::milliseconds{1});
    return door.knows(lane);
  });
}

} // namespace

// Destroyed in reverse order: whatever is used outlives its users.
struct node::parts {
  system_clock clock;
  job_door door;
  stage_directory stages;
  breaker_board breakers;
  lane_board lanes;
  connection_board connections{breakers, clock};
  std::shared_ptr<subscription_counters> subscriptions = std::make_shared<subscription_counters>();
  std::unique_ptr<sqlite_store> store;
  providers provided;
  node_config config;
  caf::actor_system actors{config};
  node_supervisor root;
  std::unique_ptr<http::server> server;
  log_limit descriptors_log;

  explicit parts(const node_settings& settings)
    : provided(settings, connections,
               [this](const destination& renewed) { door.probe_now(renewed); }),
      config(settings) {}

  lane_options lane(const node_settings& settings, const lane_settings& lane);
  http::router routes(const node_settings& settings);
};

lane_options node::parts::lane(const node_settings& settings, const lane_settings& lane) {
  lane_options options;
  options.name = lane.name;
  options.masters = lane.masters;
  options.senders = lane.senders;
  options.ingest_mailbox = static_cast<std::int64_t>(lane.ingest_mailbox);
  options.mailbox = static_cast<std::int64_t>(lane.mailbox);
  options.commit_credit = 2 * settings.ingest.group_size;
  options.window = lane.window > 0 ? lane.window : provided.streams() + lane.flush_size;
  options.chunk_size = lane.chunk_size;
  options.claim_chunks = lane.claim_chunks;
  options.lease = lane.lease;
  options.due_interval = lane.due_interval;
  options.keep_jobs = std::chrono::ceil<std::chrono::hours>(settings.retention.jobs);
  options.keep_failures = std::chrono::ceil<std::chrono::hours>(settings.retention.failures);
  options.flush_size = lane.flush_size;
  options.flush_interval = lane.flush_interval;
  options.retries = {static_cast<unsigned>(lane.max_attempts), lane.backoff_min, lane.backoff_max};
  options.restarts = {settings.supervisor.restart_min, settings.supervisor.restart_max,
                      settings.supervisor.max_restarts, settings.supervisor.restart_window};
  options.providers = provided.options();
  return options;
}

http::router node::parts::routes(const node_settings& settings) {
  const auto checks = [this] {
    auto all = check_mailboxes(stages);
    all.push_back(check_descriptors(descriptors_log));
    all.push_back(check_disk(store->disk()));
    return all;
  };
  const auto carries_activities = [&settings](std::string_view name) {
    return std::any_of(settings.lanes.begin(), settings.lanes.end(), [&](const auto& lane) {
      return lane.name == name && lane.kind == lane_settings::lane_kind::live_activity;
    });
  };
  return http::make_api(
    {*store, *store, *store, *store, *store, *store, provided.channels(), breakers, door, clock,
     [this](std::string_view payload) { return provided.check_payload(payload); },
     [this](new_job& dispatch) {
       return provided.check_activity(dispatch.payload, *dispatch.activity);
     },
     carries_activities,
     [this] { return render_metrics(stages, lanes, breakers, connections, *subscriptions); },
     checks, settings.http.max_batch_body_bytes, settings.ingest.max_schedule,
     [&settings](const job_context& job) { return render_preview(job, settings); }});
}

node::node(node_settings settings, std::function<void(const std::string& what)> on_failure)
  : settings_(std::move(settings)), on_failure_(std::move(on_failure)) {}

node::~node() {
  if (parts_)
    stop();
}

node::start_result node::start() {
  parts_ = std::make_unique<parts>(settings_);
  auto& p = *parts_;
  auto opened = sqlite_store::open(store_options(settings_.store, p.clock));
  if (!opened.ok()) {
    parts_.reset();
    return {opened.code == errc::busy ? node_status::locked : node_status::failed, opened.message};
  }
  p.store = std::move(opened.value);

  if (const auto error = p.provided.start(); !error.empty()) {
    parts_.reset();
    return {node_status::failed, error};
  }

  node_options options;
  options.commits.group_size = settings_.ingest.group_size;
  options.restarts = {settings_.supervisor.restart_min, settings_.supervisor.restart_max,
                      settings_.supervisor.max_restarts, settings_.supervisor.restart_window};
  options.on_failure = on_failure_;
  options.events.run = make_uuid_v7(p.clock.now()).to_string().substr(0, 18);
  options.events.texts = http::make_event_texts();
  options.events.interval = settings_.sse.interval;
  options.events.subscriber_bytes = settings_.sse.buffer_bytes;
  options.events.most_subscribers = settings_.sse.max_subscribers;
  options.events.counters = p.subscriptions;
  for (const auto& lane : settings_.lanes)
    options.lanes.push_back(p.lane(settings_, lane));
  const node_ports ports{*p.store, p.clock, p.door, p.stages, p.breakers, p.lanes, *p.store};
  std::vector<std::string> lanes;
  for (const auto& lane : options.lanes)
    lanes.push_back(lane.name);
  warn_of_other_lanes(*p.store, lanes);
  p.root = p.actors.spawn<node_supervisor_actor>(ports, std::move(options));

  auto serving = server_options(settings_.http, share_descriptors(settings_));
  serving.on_idle = [&door = p.door] { door.pass_on(); };
  p.server = std::make_unique<http::server>(std::move(serving), p.routes(settings_));
  if (!wait_for_lanes(p.door, lanes)) {
    stop();
    return {node_status::failed, "the lanes did not start within 10 s"};
  }
  try {
    p.server->start();
  } catch (const std::system_error& error) {
    const std::string message = error.what();
    stop();
    return {node_status::failed, message};
  }
  return {};
}

std::string node::http_url() const {
  const auto& address = settings_.http.address;
  const auto host = address.find(':') == std::string::npos ? address : "[" + address + "]";
  return "http://" + host + ":" + std::to_string(parts_->server->port());
}

node_status node::stop() {
  if (!parts_)
    return node_status::ok;
  auto& p = *parts_;
  const auto deadline = std::chrono::steady_clock::now() + settings_.stop.deadline;
  p.door.close();
  auto status = node_status::ok;
  {
    caf::scoped_actor self{p.actors};
    self->request(p.root, caf::duration{settings_.stop.deadline}, drain{})
      .receive([](const drained&) {},
               [&](const caf::error& error) {
                 spdlog::error("event=not_drained error={:?}", p.actors.render(error));
                 status = node_status::not_drained;
               });
  }
  // Every job that was taken in has its answer by now; let the last ones leave.
  p.server->drain();
  const auto linger =
    std::min(deadline, std::chrono::steady_clock::now() + std::chrono::seconds{1});
  while (p.server->connections() > 0 && std::chrono::steady_clock::now() < linger)
    std::this_thread::sleep_for(std::chrono::milliseconds{5});
  p.server->stop();
  caf::anon_send_exit(p.root, caf::exit_reason::user_shutdown);
  p.root = nullptr;
  p.door.clear();
  p.store->close();
  parts_.reset();
  return status;
}

void node::reload_credentials() {
  if (parts_)
    parts_->provided.reload([&door = parts_->door](const destination& reloaded) {
      door.reset_breakers({}, reloaded, breaker_kind::configuration);
    });
}

} // namespace signalbox
