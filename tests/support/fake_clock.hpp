#pragma once

#include "actors/ports/clock.hpp"

#include <chrono>

namespace signalbox {

/// A clock that moves only when told to, both its faces alike.
class fake_clock : public wall_clock {
public:
  timestamp now() const override { return now_; }
  boot_clock::time_point boot_now() const override { return boot_now_; }

  void advance(std::chrono::milliseconds by) {
    now_ += by;
    boot_now_ += by;
  }

private:
  timestamp now_{std::chrono::milliseconds{1'700'000'000'000}};
  boot_clock::time_point boot_now_{std::chrono::hours{1}};
};

} // namespace signalbox
