#include "adapters/store/sqlite/process_lock.hpp"

#include <cerrno>
#include <fcntl.h>
#include <sys/file.h>
#include <thread>
#include <unistd.h>

namespace signalbox::sqlite {

process_lock::~process_lock() {
  if (file_ >= 0)
    ::close(file_);
}

process_lock::outcome process_lock::acquire(const std::string& database,
                                            std::chrono::milliseconds wait) {
  file_ = ::open((database + ".lock").c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644);
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
