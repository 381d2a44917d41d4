#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace signalbox {

/// One lane: its own actors, mailboxes, provider connections and windows.
struct lane_settings {
  enum class lane_kind { push, live_activity };

  std::string name;
  lane_kind kind = lane_kind::push;
  std::size_t masters = 1;
  std::size_t senders = 1; ///< for each provider
  std::size_t ingest_mailbox = 4096;
  std::size_t mailbox = 1024; ///< of every other stage
  std::size_t window = 0;     ///< 0: the streams and one flush
  std::size_t flush_size = 1000;
  std::chrono::milliseconds flush_interval{20};
  std::size_t claim_chunks = 64;
  std::chrono::milliseconds lease{15'000};
  std::size_t max_attempts = 5;
  std::chrono::milliseconds backoff_min{1'000};
  std::chrono::milliseconds backoff_max{300'000};
  std::chrono::milliseconds due_interval{500};
  std::size_t chunk_size = 1000;
};

/// Everything a node can be told, checked and typed; what each member means, its unit and range
/// stand in docs/settings.md under the same name. The initializers here are the defaults.
struct node_settings {
  struct http_group {
    std::string address = "127.0.0.1"; ///< IPv4 or IPv6
    std::uint16_t port = 8080;         ///< 0: a free one
    std::vector<std::string> hosts;    ///< beside addresses and localhost
    std::size_t max_body_bytes = 1048576;
    std::size_t max_batch_body_bytes = 8388608;
    std::size_t max_connections = 4096;
    std::chrono::milliseconds header_timeout{10'000};
    std::chrono::milliseconds body_timeout{30'000};
    std::chrono::milliseconds idle_timeout{75'000};
    std::size_t threads = 1;
  };

  struct sse_group {
    std::chrono::milliseconds interval{500};
    std::size_t buffer_bytes = 65536;
    std::size_t max_subscribers = 10000;
  };

  struct store_group {
    std::filesystem::path path = "signalbox.db";
    std::size_t readers = 0; ///< 0: see store_readers
    std::size_t cache_bytes = 8388608;
    std::size_t reader_cache_bytes = 1048576;
    std::size_t mmap_bytes = 0;
    std::chrono::milliseconds busy_timeout{5'000};
    std::size_t min_free_bytes = 67108864;
    std::chrono::milliseconds lock_wait{5'000};
  };

  struct apns_group {
    std::string bundle; ///< empty, with key_file, key_id and team_id: no default credentials
    std::filesystem::path key_file;
    std::string key_id;
    std::string team_id;
    std::string production_host = "api.push.apple.com";
    std::uint16_t production_port = 443;
    std::string sandbox_host = "api.sandbox.push.apple.com";
    std::uint16_t sandbox_port = 443;
    std::string channels_host; ///< empty: Apple's, or production_host
    std::uint16_t channels_port = 0;
    std::string channels_sandbox_host;
    std::uint16_t channels_sandbox_port = 0;
    std::filesystem::path ca_file; ///< empty: the system's
    std::size_t connections = 4;   ///< for each sender and environment
    std::size_t max_streams = 100; ///< on each connection
    std::chrono::milliseconds request_timeout{10'000};
    std::chrono::milliseconds connect_timeout{5'000};
    std::chrono::milliseconds ping_interval{60'000};
    std::chrono::milliseconds reconnect_min{100};
    std::chrono::milliseconds reconnect_max{30'000};
    std::chrono::milliseconds token_refresh{3'000'000};
    std::string proxy; ///< empty: HTTPS_PROXY and NO_PROXY of the environment
  };

  struct fcm_group {
    std::filesystem::path service_account_file; ///< empty: no default credentials
    std::string host = "fcm.googleapis.com";
    std::uint16_t port = 443;
    std::filesystem::path ca_file; ///< empty: the system's
    std::size_t connections = 4;   ///< for each sender
    std::size_t max_streams = 100; ///< on each connection
    std::chrono::milliseconds request_timeout{10'000};
    std::chrono::milliseconds connect_timeout{5'000};
    std::chrono::milliseconds ping_interval{60'000};
    std::chrono::milliseconds reconnect_min{100};
    std::chrono::milliseconds reconnect_max{30'000};
    std::string proxy;      ///< empty: HTTPS_PROXY and NO_PROXY of the environment
    std::string job_marker; ///< member of data that gets the job id; empty: none
  };

  struct ingest_group {
    std::size_t group_size = 256;
    std::chrono::milliseconds max_schedule{std::chrono::hours{8784}}; ///< a leap year
  };

  struct supervisor_group {
    std::chrono::milliseconds restart_min{100};
    std::chrono::milliseconds restart_max{10'000};
    std::size_t max_restarts = 10; ///< within restart_window
    std::chrono::milliseconds restart_window{60'000};
  };

  struct retention_group {
    std::chrono::milliseconds jobs = std::chrono::hours{7 * 24};
    std::chrono::milliseconds failures = std::chrono::hours{30 * 24};
  };

  struct stop_group {
    std::chrono::milliseconds deadline{20'000};
  };

  struct scheduler_group {
    std::size_t max_threads = 0; ///< 0: one for every two cores
    std::size_t max_throughput = 300;
  };

  struct log_group {
    enum class level_name { trace, debug, info, warn, error };
    enum class format_name { logfmt, json };

    level_name level = level_name::info;
    format_name format = format_name::logfmt;
    std::filesystem::path file; ///< empty: standard error
  };

  struct node_group {
    std::filesystem::path state_dir; ///< empty: see state_directory()
  };

  http_group http;
  sse_group sse;
  store_group store;
  apns_group apns;
  fcm_group fcm;
  ingest_group ingest;
  supervisor_group supervisor;
  retention_group retention;
  stop_group stop;
  scheduler_group scheduler;
  log_group log;
  node_group node;
  std::vector<lane_settings> lanes = built_in_lanes(); ///< push, live-activity, then the file's

  /// The lanes that exist without any configuration.
  static std::vector<lane_settings> built_in_lanes();
};

/// The directory for the control socket and info files: `node.state-dir`, or the store's.
std::filesystem::path state_directory(const node_settings& settings);

} // namespace signalbox
