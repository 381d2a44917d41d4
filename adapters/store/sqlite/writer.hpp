#pragma once

#include "adapters/store/sqlite/connection.hpp"
#include "messages/result.hpp"

#include <array>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <mutex>
#include <span>
#include <string>
#include <thread>
#include <vector>

namespace signalbox::sqlite {

/// Whether a transaction is on the disk when its callback comes. `normal` ones survive a crash of
/// the process; a power failure may take back the latest of them, all in order, so that nothing
/// `full` is ever lost. Only what is redone anyway (claims, plans, completions) is `normal`.
enum class durability : std::uint8_t { normal, full };

/// The queues the writer serves in turn. An operation of each of the first two shares a transaction
/// when both wait: one sync for both.
enum class write_class : std::uint8_t { jobs, lanes, imports };

struct write_status {
  errc code = errc::ok;
  std::string message;
  bool ok() const { return code == errc::ok; }
};

/// One operation. `run` may throw failure: what it did is rolled back and `done` told so. `done`
/// comes after the commit, on the writer's thread.
struct write_operation {
  durability sync = durability::full;
  std::function<void(connection&)> run;
  std::function<void(const write_status&)> done;
};

/// Tells a long import when to give way.
class time_slice {
public:
  explicit time_slice(std::chrono::steady_clock::time_point end) : end_{end} {}
  bool is_over() const { return std::chrono::steady_clock::now() >= end_; }

private:
  std::chrono::steady_clock::time_point end_;
};

/// Work of the directory, done in slices; several share a transaction. `step` writes at least
/// something, stops when the slice is over, and returns whether it is finished. A constraint that
/// it breaks, and what else it throws, undoes this step and fails this import alone.
struct import_operation {
  std::function<bool(connection&, const time_slice&)> step;
  std::function<void(const write_status&)> done;
  /// After each commit but the last, on the writer's thread. May be empty.
  std::function<void()> goes_on = {};
};

/// The only thread that writes. Thread-safe.
class writer {
public:
  struct settings {
    std::chrono::milliseconds import_slice{10};
    /// Consulted before every commit: an SQLite code to fail with, or 0. For tests.
    std::function<int()> fault{};
    /// Called after a commit, before anybody is told of it.
    std::function<void()> committed = [] {};
    /// Called after a rollback, so that nothing in memory outlives it.
    std::function<void()> rolled_back{};
    /// Called between two transactions.
    std::function<void()> between{};
  };

  writer(connection& database, settings settings);
  ~writer();

  void submit(write_class where, write_operation operation);
  void submit(import_operation import);
  /// Nothing is queued or running.
  bool is_idle() const;
  /// Ends the thread. What is still queued is not run and told errc::stopping.
  void stop();

private:
  void loop();
  bool has_operation() const;
  bool has_work() const;
  std::vector<write_operation> take_operations();
  void run_together(std::span<write_operation> operations);
  write_status run_within(write_operation& operation);
  void run_imports();
  void note_rollback();
  write_status attempt(durability sync, const std::function<void(connection&)>& body);
  void set_durability(durability sync);
  void refuse_queued();

  connection& database_;
  settings settings_;
  durability sync_ = durability::full; ///< as connections are opened
  mutable std::mutex mutex_;
  std::condition_variable wake_;
  std::array<std::deque<write_operation>, 2> operations_; ///< by write_class
  std::deque<import_operation> imports_;
  bool imports_next_ = false;
  bool running_ = false;
  bool stopping_ = false;
  std::thread thread_;
};

} // namespace signalbox::sqlite
