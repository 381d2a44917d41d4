// Preloaded into a program (LD_PRELOAD): its wall clock is so many seconds ahead as the text of the
// file that STEPPED_CLOCK names says, from the moment that it says so. Clocks that cannot be set
// stay as they are.

#include <cstdlib>
#include <ctime>
#include <fcntl.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <unistd.h>

namespace {

// By system calls alone: anything else may ask for the time itself.
long ahead_s() {
  static const char* const file = std::getenv("STEPPED_CLOCK");
  const int in = file == nullptr ? -1 : static_cast<int>(syscall(SYS_open, file, O_RDONLY));
  if (in < 0)
    return 0;
  char text[32] = {};
  const auto size = syscall(SYS_read, in, text, sizeof text - 1);
  syscall(SYS_close, in);
  return size > 0 ? std::atol(text) : 0;
}

} // namespace

extern "C" {

int clock_gettime(clockid_t clock, timespec* now) noexcept {
  const auto result = syscall(SYS_clock_gettime, clock, now);
  if (result == 0 && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE))
    now->tv_sec += ahead_s();
  return static_cast<int>(result);
}

int gettimeofday(timeval* now, void*) noexcept {
  timespec exact{};
  clock_gettime(CLOCK_REALTIME, &exact);
  *now = {exact.tv_sec, exact.tv_nsec / 1000};
  return 0;
}

time_t time(time_t* now) noexcept {
  timespec exact{};
  clock_gettime(CLOCK_REALTIME, &exact);
  if (now != nullptr)
    *now = exact.tv_sec;
  return exact.tv_sec;
}

} // extern "C"
