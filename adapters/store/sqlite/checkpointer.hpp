#pragma once

#include "adapters/store/sqlite/connection.hpp"

#include <condition_variable>
#include <cstdint>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <thread>

namespace signalbox::sqlite {

/// Copies the write-ahead log back into the database on a thread of its own, so that no commit
/// waits for it. While the writer keeps writing that alone never lets the log start over; when the
/// log is long, the writer is told to do the little that is left between two transactions.
///
/// A reader keeps what came after its snapshot from being copied, and the log from starting over.
/// Where one is always there, the log grows past that; then readers are asked to take newer
/// snapshots, what they held back is copied beside the writer, and the log is cut in a moment
/// without any.
class checkpointer {
public:
  struct settings {
    int begin_pages = 1'000;  ///< copying starts from a log of so many pages
    int finish_pages = 8'000; ///< the writer finishes from a log of so many pages: 32 MiB
    int cut_pages = 16'000;   ///< readers give way from a log of so many pages: 64 MiB
    int last_pages = 32'000;  ///< lanes' readers too, and commits wait for it: 128 MiB
    int again_pages = 2'000;  ///< a cut that failed is tried again after so many pages more
    /// Runs the work while nobody reads (readers::run_alone), lanes too if told so; false if it did
    /// not come to that. Commits wait meanwhile.
    std::function<bool(bool lanes_too, const std::function<void()>& work)> without_readers =
      [](bool, const std::function<void()>& work) { return work(), true; };
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
  /// How far a cut is: readers have newer snapshots, what they held back is being copied; it is.
  enum class cut : std::uint8_t { none, copying, ready };

  static int note_commit(void* self, sqlite3*, const char*, int log_pages);
  void loop();
  bool cut_if_due();
  bool truncate(bool is_last);

  connection& writer_;
  connection database_;
  int busy_timeout_ms_;
  struct settings limits_;
  std::mutex mutex_;
  std::condition_variable wake_;
  int log_pages_ = 0;
  int next_cut_ = 0; ///< not from a shorter log
  cut cut_ = cut::none;
  bool has_work_ = false;
  bool is_nearly_done_ = false; ///< copied since the log became long
  bool stopping_ = false;
  std::thread thread_;
};

} // namespace signalbox::sqlite
