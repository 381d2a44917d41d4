#pragma once

#include "adapters/store/sqlite/connection.hpp"

#include <array>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace signalbox::sqlite {

/// All that is read while it lives is of one state of the database, and its locks are taken once.
class snapshot {
public:
  explicit snapshot(connection& database) : database_{database} { database_.execute("BEGIN"); }
  ~snapshot();

  snapshot(const snapshot&) = delete;
  snapshot& operator=(const snapshot&) = delete;

private:
  connection& database_;
};

/// Who a read is for: pages and counts for people never take the last thread from a lane.
enum class read_class : std::uint8_t { lanes, queries };

/// A pool of threads, each with a connection that cannot write. Thread-safe.
class readers {
public:
  /// `run` gets a connection, or null when the pool is closed; what it throws ends the process, so
  /// it catches failure itself.
  using task = std::function<void(connection*)>;

  /// Throws failure.
  readers(const std::string& path, const connection_settings& settings, std::size_t threads);
  ~readers();

  void submit(read_class where, task run);
  /// Ends the threads. What is still queued is called with null.
  void stop();

private:
  void loop(connection& database);
  bool take(task& next, bool& is_query);

  mutable std::mutex mutex_;
  std::condition_variable wake_;
  std::array<std::deque<task>, 2> queues_; ///< by read_class
  std::size_t running_queries_ = 0;
  std::size_t most_queries_;
  bool stopping_ = false;
  std::vector<std::unique_ptr<connection>> connections_;
  std::vector<std::thread> threads_;
};

} // namespace signalbox::sqlite
