#pragma once

#include <mutex>
#include <string>
#include <utility>
#include <vector>

namespace signalbox::http {

/// The calls that fakes were given, in order.
class call_log {
public:
  void note(std::string call) {
    std::lock_guard guard{mutex_};
    calls_.push_back(std::move(call));
  }
  std::vector<std::string> take() {
    std::lock_guard guard{mutex_};
    return std::exchange(calls_, {});
  }

private:
  std::mutex mutex_;
  std::vector<std::string> calls_;
};

} // namespace signalbox::http
