#include "adapters/http2/send_gate.hpp"

#include <spdlog/spdlog.h>

#include <algorithm>

namespace signalbox {

namespace {

using namespace std::chrono_literals;

constexpr auto wait_by_default = 60s;
constexpr auto longest_doubled_wait = 600s;
// A probe that was not answered by then is taken for lost.
constexpr auto probe_timeout = 10s;
// How soon those who wait for another's probe ask again.
constexpr auto probe_poll = 20ms;
constexpr std::size_t enough_confirmed = 100;

} // namespace

std::size_t send_gate::admit(clock::time_point now) {
  if (!is_closed())
    return unlimited;
  std::lock_guard lock{mutex_};
  if (!is_closed())
    return unlimited;
  if (now < until_ || (state_ == state::held && must_wait_longer(now)))
    return 0;
  state_ = state::probing;
  until_ = now + probe_timeout;
  return 1;
}

// Judged only now, since what had left before the hold is answered during it.
bool send_gate::must_wait_longer(clock::time_point now) {
  if (confirmed_ >= throttled_)
    last_wait_ = 0s;
  const auto doubled = std::min<std::chrono::seconds>(2 * last_wait_, longest_doubled_wait);
  until_ = std::max(until_, held_since_ + doubled);
  if (now < until_)
    return true;
  last_wait_ = std::chrono::ceil<std::chrono::seconds>(until_ - held_since_);
  confirmed_ = 0;
  throttled_ = 0;
  return false;
}

void send_gate::give_back() {
  if (!is_closed())
    return;
  std::lock_guard lock{mutex_};
  if (state_ == state::probing)
    until_ = {};
}

send_gate::clock::time_point send_gate::ask_again(clock::time_point now) const {
  std::lock_guard lock{mutex_};
  return state_ == state::held ? until_ : now + probe_poll;
}

void send_gate::throttle(clock::time_point now, std::chrono::seconds retry_after) {
  std::lock_guard lock{mutex_};
  ++throttled_;
  if (state_ == state::held) { // it had left before
    until_ = std::max(until_, now + retry_after);
    return;
  }
  state_ = state::held;
  held_since_ = now;
  until_ = now + (retry_after > 0s ? retry_after : std::chrono::seconds{wait_by_default});
  spdlog::warn("event=paced quota={} retry_after={}", name_, retry_after.count());
}

void send_gate::confirm() {
  if (state_.load(std::memory_order_relaxed) == state::open)
    return;
  std::lock_guard lock{mutex_};
  if (state_ == state::probing)
    state_ = state::recovering;
  if (++confirmed_ < enough_confirmed || state_ != state::recovering)
    return;
  last_wait_ = 0s;
  throttled_ = 0;
  state_ = state::open;
}

} // namespace signalbox
