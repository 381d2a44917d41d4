#pragma once

#include <condition_variable>
#include <cstddef>
#include <mutex>

namespace signalbox::sqlite {

/// Counts the calls that have not been answered, so that a closing store ends none of them.
/// Thread-safe.
class pending_calls {
public:
  /// False once closed: the call is to be refused.
  bool enter() {
    std::lock_guard lock{mutex_};
    if (!closed_)
      ++count_;
    return !closed_;
  }

  void leave() {
    std::lock_guard lock{mutex_};
    if (--count_ == 0)
      idle_.notify_all();
  }

  /// Refuses new calls.
  void close() {
    std::lock_guard lock{mutex_};
    closed_ = true;
  }

  void wait_until_idle() {
    std::unique_lock lock{mutex_};
    idle_.wait(lock, [this] { return count_ == 0; });
  }

private:
  std::mutex mutex_;
  std::condition_variable idle_;
  std::size_t count_ = 0;
  bool closed_ = false;
};

} // namespace signalbox::sqlite
