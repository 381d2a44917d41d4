#pragma once

#include "messages/ids.hpp"
#include "messages/ledger.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>

namespace signalbox {

/// How long one pass of the sweeper works. However short that is, each step gets on.
struct sweep_times {
  std::chrono::milliseconds pass{50};     ///< over all steps; then `more` says: it was cut short
  std::chrono::milliseconds step{5};      ///< at least, so that none is starved by those before it
  std::chrono::milliseconds limit{2'000}; ///< no step runs longer: it alone is rolled back then
};

/// What `readers` stands for: 0 is the larger of 4 and the cores.
std::size_t store_readers(std::size_t readers);

/// How a node keeps its store in an SQLite database.
struct sqlite_options {
  std::string path;        ///< of the database; `<path>-wal`, `-shm` and `.lock` stand beside it
  lease_owner owner;       ///< this node, and this run of it
  std::size_t readers = 0; ///< reader threads, at least 2; see store_readers
  std::int64_t writer_cache_bytes = 64 << 20;
  std::int64_t reader_cache_bytes = 8 << 20; ///< of each reader
  /// A query for people that takes longer, waiting included, is refused with busy, and so are those
  /// that come while so many wait.
  std::chrono::milliseconds query_limit{5'000};
  std::size_t most_queries = 256;
  std::int64_t mmap_bytes = 0;
  std::chrono::milliseconds busy_timeout{5'000};
  std::chrono::milliseconds lock_wait{5'000}; ///< for a node that is just ending
  std::chrono::milliseconds import_slice{10}; ///< longest writing for imports at a stretch
  sweep_times sweep;
  /// Jobs and registrations are refused with disk_full when the file system has less room, so that
  /// outcomes can still be written.
  std::int64_t min_free_bytes = 256 << 20;
  std::function<timestamp()> now; ///< the store's time; none: the system's
  /// Consulted before every commit: an SQLite result code to fail with, or 0. For tests.
  std::function<int()> fault;
};

} // namespace signalbox
