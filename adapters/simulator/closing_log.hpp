#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

namespace signalbox::sim {

/// Says in the log why connections ended: a line each, and up to 20 a second. What goes beyond is
/// counted, and the next line tells how many were left out. Not thread-safe.
class closing_log {
public:
  using clock = std::chrono::steady_clock;

  struct closing {
    std::string_view provider;
    std::string peer;
    std::uint64_t requests = 0; ///< complete ones on this connection
    std::string_view reason;
    bool is_trouble = false; ///< a mistake of the client's, say, and no end that is usual
  };

  void note(const closing& what, clock::time_point now = clock::now());

private:
  clock::time_point second_;
  int lines_ = 0;
  std::uint64_t left_out_ = 0;
};

} // namespace signalbox::sim
