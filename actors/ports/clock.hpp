#pragma once

#include "messages/ids.hpp"
#include "messages/work.hpp"

namespace signalbox {

/// Time for decisions: actors never read a clock themselves, so that tests can move it.
class wall_clock {
public:
  virtual ~wall_clock() = default;
  virtual timestamp now() const = 0;
  virtual boot_clock::time_point boot_now() const = 0;
};

} // namespace signalbox
