#include "actors/breaker.hpp"

#include <algorithm>

namespace signalbox {

bool breaker::blocked() const {
  return misconfigured_ || outage_ == breaker_state::open || outage_ == breaker_state::probing;
}

void breaker::close(time_point now) {
  failed_probes_ = 0;
  enter(breaker_state::closed, now);
}

void breaker::enter(breaker_state state, time_point now) {
  outage_ = state;
  outage_since_ = now;
}

// From half the interval to all of it, so that the nodes of a cluster do not probe in step.
void breaker::wait_for_probe(time_point now, double random) {
  auto interval = rules_.probe_min * 2;
  for (unsigned i = 0; i < failed_probes_ && interval < rules_.probe_max; ++i)
    interval *= 2;
  interval = std::min(interval, rules_.probe_max);
  const auto shortest = std::max(interval / 2, rules_.probe_min);
  const auto wait = shortest + std::chrono::milliseconds{static_cast<std::int64_t>(
                                 static_cast<double>((interval - shortest).count()) * random)};
  next_probe_ = now + wait;
}

bool breaker::failed(std::size_t sender, unsigned count, const std::string& reason, time_point now,
                     double random) {
  if (count == 0)
    return false;
  switch (outage_) {
  case breaker_state::open:
    return false; // an answer from before it opened
  case breaker_state::probing:
    if (sender != probing_at_)
      return false;
    ++failed_probes_;
    outage_reason_ = reason;
    outage_ = breaker_state::open;
    wait_for_probe(now, random);
    return true;
  case breaker_state::closed:
  case breaker_state::ramping:
    break;
  }
  const bool first = run_ == 0;
  run_ += std::min(count, rules_.failures);
  if (run_ < rules_.failures)
    return first;
  outage_reason_ = reason;
  enter(breaker_state::open, now);
  wait_for_probe(now, random);
  return true;
}

bool breaker::succeeded(time_point now) {
  const bool failing = run_ > 0;
  run_ = 0;
  if (outage_ == breaker_state::open || outage_ == breaker_state::probing) {
    ramp_ = rules_.ramp_start;
    ramp_committed_ = 0;
    ramp_ends_ = now + rules_.ramp_longest;
    enter(breaker_state::ramping, now);
    return true;
  }
  return failing;
}

bool breaker::misconfigured(const std::string& reason, time_point now) {
  if (misconfigured_)
    return false;
  misconfigured_ = true;
  configuration_reason_ = reason;
  configuration_since_ = now;
  if (outage_ == breaker_state::probing) { // it was answered
    outage_ = breaker_state::open;
    next_probe_ = now;
  }
  return true;
}

bool breaker::committed(std::size_t count, time_point now) {
  if (outage_ != breaker_state::ramping)
    return false;
  ramp_committed_ += count;
  if (ramp_committed_ < ramp_)
    return false;
  ramp_committed_ = 0;
  ramp_ *= 2;
  if (ramp_ >= rules_.window)
    close(now);
  return true;
}

bool breaker::reset(breaker_kind kind, time_point now) {
  if (kind == breaker_kind::configuration) {
    const bool was = misconfigured_;
    misconfigured_ = false;
    return was;
  }
  if (kind != breaker_kind::outage)
    return false;
  failed_probes_ = 0;
  return succeeded(now);
}

bool breaker::probe_due(time_point now) const {
  return outage_ == breaker_state::open && !misconfigured_ && now >= next_probe_;
}

std::uint64_t breaker::begin_probe(std::size_t sender, time_point now) {
  outage_ = breaker_state::probing;
  probing_at_ = sender;
  probe_expires_ = now + rules_.probe_patience;
  return ++probe_;
}

void breaker::lose_probe(time_point now, double random) {
  outage_ = breaker_state::open;
  next_probe_ = now + rules_.probe_min +
                std::chrono::milliseconds{static_cast<std::int64_t>(
                  static_cast<double>(rules_.probe_min.count()) * random)};
}

bool breaker::probe_unused(std::uint64_t number, time_point now, double random) {
  if (outage_ != breaker_state::probing || number != probe_)
    return false;
  lose_probe(now, random);
  return true;
}

bool breaker::probe_idle_at(std::size_t sender, time_point now) {
  if (outage_ != breaker_state::probing || sender != probing_at_)
    return false;
  outage_ = breaker_state::open;
  next_probe_ = now + rules_.probe_again;
  return true;
}

bool breaker::probe_lost_at(std::size_t sender, time_point now, double random) {
  if (outage_ != breaker_state::probing || sender != probing_at_)
    return false;
  lose_probe(now, random);
  return true;
}

bool breaker::expire(time_point now, double random) {
  if (outage_ == breaker_state::ramping && now >= ramp_ends_) {
    if (run_ == 0) {
      close(now);
      return true;
    }
    ramp_ends_ = now + rules_.ramp_longest;
    return false;
  }
  if (outage_ != breaker_state::probing || now < probe_expires_)
    return false;
  lose_probe(now, random);
  return true;
}

std::optional<breaker::time_point> breaker::wake_at() const {
  if (outage_ == breaker_state::probing)
    return probe_expires_;
  if (outage_ == breaker_state::ramping)
    return ramp_ends_;
  return next_probe();
}

std::optional<breaker::time_point> breaker::next_probe() const {
  if (outage_ == breaker_state::open && !misconfigured_)
    return next_probe_;
  return std::nullopt;
}

breaker_state breaker::state() const {
  return misconfigured_ ? breaker_state::open : outage_;
}

breaker_state breaker::state(breaker_kind kind) const {
  switch (kind) {
  case breaker_kind::outage:
    return outage_;
  case breaker_kind::configuration:
    return misconfigured_ ? breaker_state::open : breaker_state::closed;
  case breaker_kind::token_storm:
  case breaker_kind::connection:
    break;
  }
  return breaker_state::closed;
}

std::size_t breaker::limit(std::size_t sender) const {
  if (misconfigured_)
    return 0;
  switch (outage_) {
  case breaker_state::open:
    return 0;
  case breaker_state::probing:
    return sender == probing_at_ ? 1 : 0;
  case breaker_state::ramping:
    return std::min(ramp_, rules_.window);
  case breaker_state::closed:
    break;
  }
  return rules_.window;
}

const std::string& breaker::reason(breaker_kind kind) const {
  return kind == breaker_kind::configuration ? configuration_reason_ : outage_reason_;
}

breaker::time_point breaker::since(breaker_kind kind) const {
  return kind == breaker_kind::configuration ? configuration_since_ : outage_since_;
}

} // namespace signalbox
