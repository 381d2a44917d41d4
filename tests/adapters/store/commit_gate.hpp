#pragma once

#include <condition_variable>
#include <mutex>

namespace signalbox {

/// Holds a store's writer at its next commit, as its options' `fault`.
class commit_gate {
public:
  void shut() {
    std::lock_guard lock{mutex_};
    shut_ = true;
  }

  void open() {
    std::lock_guard lock{mutex_};
    shut_ = false;
    changed_.notify_all();
  }

  void wait_until_held() {
    std::unique_lock lock{mutex_};
    changed_.wait(lock, [this] { return held_; });
  }

  int pass() {
    std::unique_lock lock{mutex_};
    held_ = shut_;
    changed_.notify_all();
    changed_.wait(lock, [this] { return !shut_; });
    ++passed_;
    return 0;
  }

  int passed() {
    std::lock_guard lock{mutex_};
    return passed_;
  }

private:
  std::mutex mutex_;
  std::condition_variable changed_;
  bool shut_ = false;
  bool held_ = false;
  int passed_ = 0;
};

} // namespace signalbox
