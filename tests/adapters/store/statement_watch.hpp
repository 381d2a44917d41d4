#pragma once

#include "adapters/store/sqlite/memory.hpp"

#include <sqlite3.h>

#include <atomic>
#include <condition_variable>
#include <mutex>
#include <string>

namespace signalbox {

/// Sees the statements of all connections that are opened while it lives come to their ends. One at
/// a time; outlives those connections.
class statement_watch {
public:
  statement_watch() {
    sqlite::keep_small_blocks(); // it has to come before the first use of SQLite
    current_ = this;
    sqlite3_auto_extension(reinterpret_cast<void (*)()>(listen));
  }

  ~statement_watch() {
    sqlite3_cancel_auto_extension(reinterpret_cast<void (*)()>(listen));
    current_ = nullptr;
  }

  statement_watch(const statement_watch&) = delete;
  statement_watch& operator=(const statement_watch&) = delete;

  /// Reads so far: each is a snapshot of its own, which ends with a ROLLBACK.
  std::size_t reads() {
    std::lock_guard lock{mutex_};
    return reads_;
  }

  void wait_for_reads(std::size_t count) {
    std::unique_lock lock{mutex_};
    changed_.wait(lock, [&] { return reads_ >= count; });
  }

private:
  static int listen(sqlite3* connection, char**, const sqlite3_api_routines*) {
    return sqlite3_trace_v2(connection, SQLITE_TRACE_PROFILE, ended, nullptr);
  }

  static int ended(unsigned, void*, void* statement, void*) {
    const std::string text{sqlite3_sql(static_cast<sqlite3_stmt*>(statement))};
    auto* watch = current_.load();
    if (watch && text == "ROLLBACK") {
      std::lock_guard lock{watch->mutex_};
      ++watch->reads_;
      watch->changed_.notify_all();
    }
    return 0;
  }

  inline static std::atomic<statement_watch*> current_{nullptr};
  std::mutex mutex_;
  std::condition_variable changed_;
  std::size_t reads_ = 0;
};

} // namespace signalbox
