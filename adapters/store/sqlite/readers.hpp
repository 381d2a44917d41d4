#pragma once

#include "adapters/store/sqlite/connection.hpp"

#include <array>
#include <atomic>
#include <chrono>
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

/// Who a read is for. Queries, the pages and counts for people, may last: they take half of the
/// threads at most. Lookups, what people find by its key, last no longer than a lane's reads, and
/// wait for those only. Health has a thread of its own.
enum class read_class : std::uint8_t { lanes, lookups, queries, health };

struct read_task {
  /// Reads and answers; false if SQLite was interrupted: then it has answered nobody, and may be
  /// run once more from its beginning. What it throws is
  /// logged, and taken for an answer.
  std::function<bool(connection&)> run;
  /// Answers instead of `run`.
  std::function<void(errc, std::string)> refuse;
};

/// A pool of threads, each with a connection that cannot write. Thread-safe.
class readers {
public:
  struct settings {
    std::size_t threads = 2; ///< at least 2; health has one more
    /// What people ask is refused with errc::busy if it has not come to its end so long afterwards.
    std::chrono::milliseconds query_limit{5'000};
    std::size_t most_waiting = 256; ///< queries, and as many lookups; then errc::busy
  };

  /// Throws failure.
  readers(const std::string& path, const connection_settings& connections, settings settings);
  ~readers();

  void submit(read_class where, read_task task);

  /// Runs `work` while nobody reads, so that no snapshot is older than what it leaves. What people
  /// ask is interrupted and runs again afterwards, with `lanes_too` all else; what lasts longer
  /// than `wait` has precedence: false then, and `work` did not run.
  bool run_alone(std::chrono::milliseconds wait, bool lanes_too, const std::function<void()>& work);

  /// Whatever has not come to its end within `time` is refused with errc::stopping, lanes' too.
  void hurry(std::chrono::milliseconds time);

  /// Interrupts what runs, and ends the threads. It and what is still queued is refused with
  /// errc::stopping.
  void stop();

private:
  using clock = std::chrono::steady_clock;

  struct waiting_task {
    read_task task;
    clock::time_point end; ///< of what people ask
  };

  enum class interruption : std::uint8_t { none, too_long, again, stopping };

  /// A thread's connection, and what it reads.
  struct place {
    place(readers& pool, const std::string& path, const connection_settings& connections)
      : pool{pool}, database{path, connections} {}

    readers& pool;
    connection database;
    std::condition_variable wake;
    read_class reads = read_class::lanes;
    clock::time_point end;
    interruption interrupted = interruption::none;
  };

  static int look(void* at);
  void loop(place& at, bool for_health);
  bool may_begin(read_class where) const;
  bool take(waiting_task& next, read_class& where, bool for_health);
  void wake_one();
  bool is_past_last_end() const;
  void refuse_late(const waiting_task& task) const;

  settings settings_;
  std::size_t most_queries_;
  mutable std::mutex mutex_;
  std::condition_variable idle_;
  std::array<std::deque<waiting_task>, 4> queues_; ///< by read_class
  std::vector<place*> resting_;                    ///< the last has the warmest caches
  std::size_t running_ = 0;
  std::size_t running_queries_ = 0;
  bool closed_ = false; ///< nothing begins: somebody runs alone
  std::atomic<bool> queries_give_way_{false};
  std::atomic<bool> lanes_give_way_{false};
  std::atomic<bool> stopping_{false};
  std::atomic<clock::time_point> last_end_{clock::time_point::max()}; ///< by hurry
  std::vector<std::unique_ptr<place>> places_;
  std::vector<std::thread> threads_;
};

} // namespace signalbox::sqlite
