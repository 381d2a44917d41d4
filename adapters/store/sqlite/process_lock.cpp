#include "adapters/store/sqlite/process_lock.hpp"

#include <cerrno>
#include <fcntl.h>
#include <filesystem>
#include <sys/file.h>
#include <thread>
#include <unistd.h>

namespace signalbox::sqlite {

namespace {

// SQLite follows links too; two names of one file must not be two locks.
std::filesystem::path without_links(std::filesystem::path name) {
  constexpr int most_links = 40;
  std::error_code error;
  for (int i = 0; i < most_links && std::filesystem::is_symlink(name, error); ++i)
    name = name.parent_path() / std::filesystem::read_symlink(name, error);
  return name;
}

} // namespace

process_lock::~process_lock() {
  if (file_ >= 0)
    ::close(file_);
}

process_lock::outcome process_lock::acquire(const std::string& database,
                                            std::chrono::milliseconds wait) {
  path_ = without_links(database).string() + ".lock";
  file_ = ::open(path_.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (file_ < 0)
    return outcome::failed;
  const auto end = std::chrono::steady_clock::now() + wait;
  while (::flock(file_, LOCK_EX | LOCK_NB) != 0) {
    if (errno != EWOULDBLOCK && errno != EINTR)
      return outcome::failed;
    if (std::chrono::steady_clock::now() >= end)
      return outcome::other_node;
    std::this_thread::sleep_for(std::chrono::milliseconds{20});
  }
  return outcome::held;
}

} // namespace signalbox::sqlite
