#include "adapters/simulator/closing_log.hpp"

#include <spdlog/spdlog.h>

#include <utility>

namespace signalbox::sim {

namespace {

constexpr int most_per_second = 20;

} // namespace

void closing_log::note(const closing& what, clock::time_point now) {
  if (lines_ == 0 || now - second_ >= std::chrono::seconds{1}) {
    second_ = now;
    lines_ = 0;
  }
  if (lines_ == most_per_second) {
    ++left_out_;
    return;
  }
  ++lines_;
  spdlog::log(what.is_trouble ? spdlog::level::warn : spdlog::level::info,
              "event=connection_closed provider={} peer={} requests={} left_out={} reason={:?}",
              what.provider, what.peer, what.requests, std::exchange(left_out_, 0), what.reason);
}

} // namespace signalbox::sim
