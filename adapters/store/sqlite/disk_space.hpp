#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <string>

namespace signalbox::sqlite {

/// Whether the file system has room for new work, asked at most every 100 ms. Thread-safe.
class disk_space {
public:
  /// `path`: a file in the directory asked about.
  disk_space(const std::string& path, std::int64_t min_free_bytes);

  bool has_room();

private:
  std::string directory_;
  std::int64_t min_free_bytes_;
  std::atomic<std::chrono::steady_clock::rep> asked_at_{0};
  std::atomic<bool> has_room_{true};
};

} // namespace signalbox::sqlite
