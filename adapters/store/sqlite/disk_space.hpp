#pragma once

#include "adapters/io/log_limit.hpp"

#include <atomic>
#include <chrono>
#include <cstdint>
#include <string>

namespace signalbox::sqlite {

struct disk_state {
  bool has_room = true;
  std::int64_t free_bytes = 0;
  std::int64_t min_free_bytes = 0;
};

/// Whether the file system has room for new work, asked at most every 100 ms. Says so in the log,
/// once a minute, while it has not. Thread-safe.
class disk_space {
public:
  /// `path`: a file in the directory asked about.
  disk_space(const std::string& path, std::int64_t min_free_bytes);

  bool has_room();
  disk_state state();

private:
  std::string directory_;
  std::int64_t min_free_bytes_;
  std::atomic<std::chrono::steady_clock::rep> asked_at_{0};
  std::atomic<std::int64_t> free_bytes_{0};
  std::atomic<bool> has_room_{true};
  log_limit log_;
};

} // namespace signalbox::sqlite
