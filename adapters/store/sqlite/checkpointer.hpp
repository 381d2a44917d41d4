#pragma once

#include "adapters/store/sqlite/connection.hpp"

#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <optional>
#include <string>
#include <thread>

namespace signalbox::sqlite {

/// Copies the write-ahead log back into the database on a thread of its own, so that no commit
/// waits for it. While the writer keeps writing that alone never lets the log start over; when the
/// log is long, the writer is told to do the little that is left between two transactions.
class checkpointer {
public:
  struct settings {
    int begin_pages = 1'000;  ///< copying starts from a log of so many pages
    int finish_pages = 8'000; ///< the writer finishes from a log of so many pages: 32 MiB
  };

  /// Takes over from the automatic checkpoints of `writer`, whose thread is the caller's from now
  /// on. Throws failure.
  checkpointer(connection& writer, const std::string& path, const connection_settings& settings,
               struct settings limits);
  ~checkpointer();

  /// Between two transactions, on the writer's thread: finishes a copy if it is time to.
  void finish_if_due();
  void stop();

private:
  static int note_commit(void* self, sqlite3*, const char*, int log_pages);
  void loop();

  connection& writer_;
  connection database_;
  struct settings limits_;
  std::mutex mutex_;
  std::condition_variable wake_;
  int log_pages_ = 0;
  bool has_work_ = false;
  bool is_nearly_done_ = false; ///< copied since the log became long
  bool stopping_ = false;
  std::thread thread_;
};

} // namespace signalbox::sqlite
