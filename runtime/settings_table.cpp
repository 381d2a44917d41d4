#include "runtime/settings_table.hpp"

#include <cctype>
#include <type_traits>

namespace signalbox {

namespace {

using std::chrono::milliseconds;
using namespace std::chrono_literals;

constexpr std::int64_t KiB = 1024;
constexpr std::int64_t MiB = 1024 * KiB;
constexpr std::int64_t GiB = 1024 * MiB;

setting_range integers(std::int64_t min, std::int64_t max) {
  return {setting_kind::integer, min, max, {}};
}

setting_range bytes(std::int64_t min, std::int64_t max) {
  return {setting_kind::bytes, min, max, {}};
}

setting_range durations(milliseconds min, milliseconds max) {
  return {setting_kind::duration, min.count(), max.count(), {}};
}

setting_range strings(std::int64_t min_length, std::int64_t max_length) {
  return {setting_kind::string, min_length, max_length, {}};
}

setting_range paths(std::int64_t min_length) {
  return {setting_kind::path, min_length, 4096, {}};
}

setting_range names(std::int64_t max) {
  return {setting_kind::names, 0, max, {}};
}

setting_range one_of(std::vector<std::string_view> choices) {
  return {setting_kind::choice, 0, 0, std::move(choices)};
}

template <class T>
setting_value get_member(const T& member, const std::vector<std::string_view>& choices) {
  if constexpr (std::is_enum_v<T>)
    return std::string{choices.at(static_cast<std::size_t>(member))};
  else if constexpr (std::is_integral_v<T>)
    return static_cast<std::int64_t>(member);
  else if constexpr (std::is_same_v<T, std::filesystem::path>)
    return member.string();
  else
    return member;
}

template <class T>
void set_member(T& member, const setting_value& value,
                const std::vector<std::string_view>& choices) {
  if constexpr (std::is_enum_v<T>) {
    for (std::size_t i = 0; i < choices.size(); ++i)
      if (choices[i] == std::get<std::string>(value))
        member = static_cast<T>(i);
  } else if constexpr (std::is_integral_v<T>) {
    member = static_cast<T>(std::get<std::int64_t>(value));
  } else if constexpr (std::is_same_v<T, milliseconds>) {
    member = std::get<milliseconds>(value);
  } else if constexpr (std::is_same_v<T, std::vector<std::string>>) {
    member = std::get<std::vector<std::string>>(value);
  } else {
    member = std::get<std::string>(value);
  }
}

constexpr bool reload = true;
constexpr bool restart = false;

template <class Group, class T>
setting row(std::string_view name, Group node_settings::*group, T Group::*member,
            setting_range range, bool reloadable, std::string_view text) {
  return {name,
          range,
          reloadable,
          text,
          [=, choices = range.choices](auto& node, auto&) {
            return get_member(node.*group.*member, choices);
          },
          [=, choices = range.choices](auto& node, auto&, auto& value) {
            set_member(node.*group.*member, value, choices);
          }};
}

template <class T>
setting row(std::string_view name, T lane_settings::*member, setting_range range, bool reloadable,
            std::string_view text) {
  return {
    name,
    range,
    reloadable,
    text,
    [=, choices = range.choices](auto&, auto& lane) { return get_member(lane.*member, choices); },
    [=, choices = range.choices](auto&, auto& lane, auto& value) {
      set_member(lane.*member, value, choices);
    }};
}

void add_http(std::vector<setting>& table) {
  using group = node_settings::http_group;
  auto add = [&](std::string_view name, auto member, setting_range range, std::string_view text) {
    table.push_back(row(name, &node_settings::http, member, std::move(range), restart, text));
  };
  add("http.address", &group::address, strings(1, 45),
      "IPv4 or IPv6 address that the HTTP API listens on. Only loopback is allowed, since "
      "there are no API keys yet.");
  add("http.port", &group::port, integers(0, 65535),
      "TCP port of the HTTP API; 0 takes a free one.");
  add("http.hosts", &group::hosts, names(64),
      "Names that requests may give as their host, beside addresses and `localhost`: those under "
      "which a proxy passes them on. Another name is answered 421, so that no web page reaches the "
      "node by a name of its own (DNS rebinding).");
  add("http.max-body", &group::max_body_bytes, bytes(KiB, 64 * MiB),
      "Largest body of a request; a larger one is answered 413.");
  add("http.max-batch-body", &group::max_batch_body_bytes, bytes(KiB, 256 * MiB),
      "Largest body of `tokens:batch` and `notifications`.");
  add("http.max-connections", &group::max_connections, integers(1, 100000),
      "Most connections of clients that are open at a time; fewer where descriptors are short.");
  add("http.header-timeout", &group::header_timeout, durations(100ms, 10min),
      "Time in which the head of a request must be complete.");
  add("http.body-timeout", &group::body_timeout, durations(100ms, 10min),
      "Longest time without progress while a body is read.");
  add(
    "http.idle-timeout", &group::idle_timeout, durations(1s, 1h),
    "How long a connection may stay open without a request; longer than the 60 s of the usual load "
    "balancers, which would else send a request into a connection that just closes.");
  add("http.threads", &group::threads, integers(1, 16), "Threads that serve the HTTP API.");
}

void add_sse(std::vector<setting>& table) {
  using group = node_settings::sse_group;
  auto add = [&](std::string_view name, auto member, setting_range range, std::string_view text) {
    table.push_back(row(name, &node_settings::sse, member, std::move(range), restart, text));
  };
  add("sse.interval", &group::interval, durations(50ms, 1min),
      "How often a subscriber of live events hears of the same job or activity at most; what has "
      "ended is told at once.");
  add("sse.buffer-size", &group::buffer_bytes, bytes(4 * KiB, 16 * MiB),
      "Events that wait for a slow subscriber. Beyond it he loses intermediate ones; where a final "
      "one finds no room, his stream ends, so that he comes again and catches up.");
  add("sse.max-subscribers", &group::max_subscribers, integers(0, 1'000'000),
      "Most streams of live events at a time; each is one of `http.max-connections`, too.");
}

void add_store(std::vector<setting>& table) {
  using group = node_settings::store_group;
  auto add = [&](std::string_view name, auto member, setting_range range, std::string_view text) {
    table.push_back(row(name, &node_settings::store, member, std::move(range), restart, text));
  };
  add("store.path", &group::path, paths(1),
      "SQLite database file, made when missing; relative to the working directory.");
  add("store.readers", &group::readers, integers(0, 64),
      "Connections that read, each on a thread; 0 is the larger of 4 and the cores.");
  add("store.cache-size", &group::cache_bytes, bytes(0, 64 * GiB), "Page cache of the writer.");
  add("store.reader-cache-size", &group::reader_cache_bytes, bytes(0, 4 * GiB),
      "Page cache of each reader.");
  add("store.mmap-size", &group::mmap_bytes, bytes(0, 1024 * GiB),
      "How much of the database is mapped into memory; 0 maps nothing.");
  add("store.busy-timeout", &group::busy_timeout, durations(0ms, 10min),
      "How long a connection waits for a lock that a tool holds.");
  add("store.min-free-space", &group::min_free_bytes, bytes(0, 1024 * GiB),
      "Free space on the store's file system below which new work is refused, so that outcomes can "
      "still be written.");
  add("store.lock-wait", &group::lock_wait, durations(0ms, 10min),
      "How long a start waits for another node on the same database to end.");
}

void add_apns(std::vector<setting>& table) {
  using group = node_settings::apns_group;
  auto add = [&](std::string_view name, auto member, setting_range range, bool reloadable,
                 std::string_view text) {
    table.push_back(row(name, &node_settings::apns, member, std::move(range), reloadable, text));
  };
  add("apns.bundle", &group::bundle, strings(0, 255), restart,
      "Bundle id of the `default` app. Set it with `key-file`, `key-id` and `team-id`, or none.");
  add("apns.key-file", &group::key_file, paths(0), reload,
      "File with the APNs signing key (.p8). The key itself never stands in a configuration.");
  add("apns.key-id", &group::key_id, strings(0, 10), reload,
      "Id of the signing key, 10 letters and digits.");
  add("apns.team-id", &group::team_id, strings(0, 10), reload,
      "Id of the Apple developer team, 10 letters and digits.");
  add("apns.production-host", &group::production_host, strings(1, 253), restart,
      "Host for tokens of the production environment.");
  add("apns.production-port", &group::production_port, integers(1, 65535), restart,
      "Port of the production host; Apple listens on 443 and 2197.");
  add("apns.sandbox-host", &group::sandbox_host, strings(1, 253), restart,
      "Host for tokens of the sandbox environment.");
  add("apns.sandbox-port", &group::sandbox_port, integers(1, 65535), restart,
      "Port of the sandbox host.");
  add("apns.channels-host", &group::channels_host, strings(0, 253), restart,
      "Host that manages the production environment's broadcast channels; empty: Apple's, or "
      "`production-host` and its port where that is not Apple's.");
  add("apns.channels-port", &group::channels_port, integers(0, 65535), restart,
      "Port of `channels-host`; 0: the one Apple listens on, 2196.");
  add("apns.channels-sandbox-host", &group::channels_sandbox_host, strings(0, 253), restart,
      "The same for the sandbox environment; empty: Apple's, or `sandbox-host` and its port.");
  add("apns.channels-sandbox-port", &group::channels_sandbox_port, integers(0, 65535), restart,
      "Port of `channels-sandbox-host`; 0: the one Apple listens on, 2195.");
  add("apns.ca-file", &group::ca_file, paths(0), restart,
      "PEM bundle that APNs certificates are verified against; empty uses the system's.");
  add("apns.connections", &group::connections, integers(1, 64), restart,
      "HTTP/2 connections of each sender to each environment.");
  add("apns.max-streams", &group::max_streams, integers(1, 1000), restart,
      "Requests in flight on a connection, if APNs allows as many.");
  add("apns.request-timeout", &group::request_timeout, durations(100ms, 5min), restart,
      "How long an answer may take; afterwards the outcome is unknown. With `flush-interval` it "
      "must be shorter than the `lease` of every lane.");
  add("apns.connect-timeout", &group::connect_timeout, durations(100ms, 5min), restart,
      "How long TCP, proxy and TLS may take to connect.");
  add("apns.ping-interval", &group::ping_interval, durations(1s, 1h), restart,
      "Quiet time after which a connection is probed with PING.");
  add("apns.reconnect-min", &group::reconnect_min, durations(10ms, 10min), restart,
      "First pause before connecting again; it doubles, with jitter.");
  add("apns.reconnect-max", &group::reconnect_max, durations(10ms, 1h), restart,
      "Longest pause before connecting again.");
  add("apns.token-refresh", &group::token_refresh, durations(20min, 59min), restart,
      "Age at which the provider token is signed anew; Apple refuses more often than every 20 min "
      "and older than 1 h.");
  add("apns.proxy", &group::proxy, strings(0, 1024), restart,
      "HTTP proxy for CONNECT, `http://host:port`; empty follows `HTTPS_PROXY` and `NO_PROXY`.");
}

void add_fcm(std::vector<setting>& table) {
  using group = node_settings::fcm_group;
  auto add = [&](std::string_view name, auto member, setting_range range, bool reloadable,
                 std::string_view text) {
    table.push_back(row(name, &node_settings::fcm, member, std::move(range), reloadable, text));
  };
  add(
    "fcm.service-account-file", &group::service_account_file, paths(0), reload,
    "Service account (JSON) of the `default` app's Firebase project; empty: pushes to FCM devices "
    "are rejected. The key in it never stands in a configuration.");
  add("fcm.host", &group::host, strings(1, 253), restart, "Host of FCM HTTP v1.");
  add("fcm.port", &group::port, integers(1, 65535), restart, "Port of the host.");
  add("fcm.ca-file", &group::ca_file, paths(0), restart,
      "PEM bundle that the certificates of FCM and of the token endpoint are verified against; "
      "empty uses the system's.");
  add("fcm.connections", &group::connections, integers(1, 64), restart,
      "HTTP/2 connections of each sender.");
  add("fcm.max-streams", &group::max_streams, integers(1, 1000), restart,
      "Requests in flight on a connection, if FCM allows as many.");
  add("fcm.request-timeout", &group::request_timeout, durations(100ms, 5min), restart,
      "How long an answer may take; afterwards the outcome is unknown. Google asks for 10 s at "
      "least. With `flush-interval` it must be shorter than the `lease` of every lane.");
  add("fcm.connect-timeout", &group::connect_timeout, durations(100ms, 5min), restart,
      "How long TCP, proxy and TLS may take to connect, and the token endpoint to answer.");
  add("fcm.ping-interval", &group::ping_interval, durations(1s, 1h), restart,
      "Quiet time after which a connection is probed with PING.");
  add("fcm.reconnect-min", &group::reconnect_min, durations(10ms, 10min), restart,
      "First pause before connecting again; it doubles, with jitter.");
  add("fcm.reconnect-max", &group::reconnect_max, durations(10ms, 1h), restart,
      "Longest pause before connecting again.");
  add("fcm.proxy", &group::proxy, strings(0, 1024), restart,
      "HTTP proxy for CONNECT, `http://host:port`; empty follows `HTTPS_PROXY` and `NO_PROXY`.");
  add("fcm.job-marker", &group::job_marker, strings(0, 64), restart,
      "Member of `data` that every message gets with its job id, for simulators that tell "
      "duplicates by it; empty adds none.");
}

void add_lanes(std::vector<setting>& table) {
  using lane = lane_settings;
  auto add = [&](std::string_view name, auto member, setting_range range, bool reloadable,
                 std::string_view text) {
    table.push_back(row(name, member, std::move(range), reloadable, text));
  };
  add("lane.*.kind", &lane::kind, one_of({"push", "live-activity"}), restart,
      "What the lane carries. The lanes `push` and `live-activity` exist from the start and keep "
      "their kind.");
  add("lane.*.masters", &lane::masters, integers(1, 64), reload, "Masters, which claim chunks.");
  add("lane.*.senders", &lane::senders, integers(1, 64), reload,
      "Senders for each provider; each has connections of its own.");
  add("lane.*.ingest-mailbox", &lane::ingest_mailbox, integers(1, 1000000), restart,
      "Jobs that may wait at the lane's door; past it the API answers 503.");
  add("lane.*.mailbox", &lane::mailbox, integers(1, 1000000), restart,
      "Messages that may wait at every other stage.");
  add("lane.*.window", &lane::window, integers(0, 100000), restart,
      "Targets of a sender without a committed outcome, for each app and environment; 0 is its "
      "streams and one flush.");
  add("lane.*.flush-size", &lane::flush_size, integers(1, 10000), restart,
      "Outcomes that are written in one transaction.");
  add("lane.*.flush-interval", &lane::flush_interval, durations(0ms, 10s), restart,
      "How long an outcome may wait for others before it is written.");
  add("lane.*.claim-chunks", &lane::claim_chunks, integers(1, 1000), restart,
      "Chunks that a master claims at once.");
  add(
    "lane.*.lease", &lane::lease, durations(1s, 10min), restart,
    "How long a claim lasts without a renewal; renewed at a third. After a crash of a node, others "
    "take over when it ends.");
  add("lane.*.max-attempts", &lane::max_attempts, integers(1, 100), restart,
      "Tries for a target before it becomes a dead letter.");
  add("lane.*.backoff-min", &lane::backoff_min, durations(10ms, 1h), restart,
      "Ceiling of the first pause before a retry; it doubles, with full jitter.");
  add("lane.*.backoff-max", &lane::backoff_max, durations(10ms, 24h), restart,
      "Ceiling of every pause before a retry.");
  add("lane.*.due-interval", &lane::due_interval, durations(10ms, 1min), restart,
      "How often the lane looks for retries and scheduled jobs that are due.");
  add("lane.*.chunk-size", &lane::chunk_size, integers(1, 1000), restart,
      "Targets in a chunk, the unit of claims and of recovery.");
}

void add_node(std::vector<setting>& table) {
  using node = node_settings;
  auto add = [&](std::string_view name, auto group, auto member, setting_range range,
                 bool reloadable, std::string_view text) {
    table.push_back(row(name, group, member, std::move(range), reloadable, text));
  };
  add("ingest.group-size", &node::ingest, &node::ingest_group::group_size, integers(1, 10000),
      restart, "Jobs that are committed in one transaction when many arrive at once.");
  add("ingest.max-schedule", &node::ingest, &node::ingest_group::max_schedule,
      durations(1h, 87600h), restart,
      "How far ahead `scheduled_at` may be, and `expires_at` of what is then sent.");
  add("supervisor.restart-min", &node::supervisor, &node::supervisor_group::restart_min,
      durations(1ms, 1min), restart, "First pause before an actor that crashed starts again.");
  add("supervisor.restart-max", &node::supervisor, &node::supervisor_group::restart_max,
      durations(1ms, 10min), restart, "Longest pause before an actor that crashed starts again.");
  add("supervisor.max-restarts", &node::supervisor, &node::supervisor_group::max_restarts,
      integers(1, 1000), restart,
      "Restarts within `restart-window` after which a supervisor gives up and escalates.");
  add("supervisor.restart-window", &node::supervisor, &node::supervisor_group::restart_window,
      durations(1s, 1h), restart, "Time in which `max-restarts` are counted.");
  add("retention.jobs", &node::retention, &node::retention_group::jobs, durations(1h, 87600h),
      restart, "How long a finished job without failures can be looked up. In whole hours.");
  add("retention.failures", &node::retention, &node::retention_group::failures,
      durations(1h, 87600h), restart,
      "How long finished jobs with failures, and dead letters, are kept. In whole hours.");
  add("stop.deadline", &node::stop, &node::stop_group::deadline, durations(1s, 10min), restart,
      "How long an orderly stop may take; what is unfinished then waits in the store.");
  add("scheduler.max-threads", &node::scheduler, &node::scheduler_group::max_threads,
      integers(0, 256), restart, "Threads that run actors; 0 is one for every two cores.");
  add("scheduler.max-throughput", &node::scheduler, &node::scheduler_group::max_throughput,
      integers(1, 1000000), restart, "Messages an actor handles before others have their turn.");
  add("log.level", &node::log, &node::log_group::level,
      one_of({"trace", "debug", "info", "warn", "error"}), reload,
      "Least severity that is logged.");
  add("log.format", &node::log, &node::log_group::format, one_of({"logfmt", "json"}), restart,
      "Form of a line of the log.");
  add("log.file", &node::log, &node::log_group::file, paths(0), restart,
      "File that the log is appended to; empty is standard error.");
  add("node.state-dir", &node::node, &node::node_group::state_dir, paths(0), restart,
      "Directory for the control socket and info files; empty is the directory of `store.path`.");
}

} // namespace

std::string setting::full_name(const lane_settings& lane) const {
  std::string result{name};
  return of_lanes() ? result.replace(result.find('*'), 1, lane.name) : result;
}

const std::vector<setting>& settings_table() {
  static const auto table = [] {
    std::vector<setting> result;
    add_http(result);
    add_sse(result);
    add_store(result);
    add_apns(result);
    add_fcm(result);
    add_lanes(result);
    add_node(result);
    return result;
  }();
  return table;
}

std::string environment_name(std::string_view name) {
  std::string result = "SIGNALBOX_";
  for (auto c : name)
    result += c == '.' || c == '-' ? '_' : static_cast<char>(std::toupper(c));
  return result;
}

} // namespace signalbox
