#pragma once

#include <chrono>
#include <string>

namespace signalbox::sqlite {

/// Keeps a second node away from a database for the life of this object: an flock on
/// `<database>.lock`, so that read-only tools and backups still work and a dead process holds
/// nothing (SPEC 3). Of a database that is named by a symbolic link, beside the file itself.
class process_lock {
public:
  enum class outcome { held, other_node, failed };

  process_lock() = default;
  ~process_lock();
  process_lock(const process_lock&) = delete;
  process_lock& operator=(const process_lock&) = delete;

  /// Tries until `wait` has passed. `failed`: the file cannot be opened; errno says why.
  outcome acquire(const std::string& database, std::chrono::milliseconds wait);

  /// The file of the last `acquire`.
  const std::string& path() const { return path_; }

private:
  std::string path_;
  int file_ = -1;
};

} // namespace signalbox::sqlite
