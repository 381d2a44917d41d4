#include "actors/breaker.hpp"

#include <algorithm>
#include <utility>

namespace signalbox {

namespace {

using milliseconds = std::chrono::milliseconds;

// Refused targets of earlier probes that are known, and passed over by one probe.
constexpr std::size_t most_passed_over = 4;

milliseconds part_of(milliseconds whole, double random) {
  return milliseconds{static_cast<std::int64_t>(static_cast<double>(whole.count()) * random)};
}

// From half the interval to all of it, so that the nodes of a cluster do not probe in step. The
// interval is twice the shortest at first, and doubles with each probe that failed.
milliseconds wait_after(unsigned failed, milliseconds least, milliseconds most, double random) {
  auto interval = least * 2;
  for (unsigned i = 0; i < failed && interval < most; ++i)
    interval *= 2;
  interval = std::min(interval, most);
  const auto shortest = std::max(interval / 2, least);
  return shortest + part_of(interval - shortest, random);
}

} // namespace

breaker_state breaker::blocked_state() const {
  return probing_ ? breaker_state::probing : breaker_state::open;
}

void breaker::close(time_point now) {
  failed_probes_ = 0;
  enter(breaker_state::closed, now);
}

void breaker::enter(breaker_state state, time_point now) {
  outage_ = state;
  outage_since_ = now;
}

void breaker::ramp_up(time_point now) {
  ramp_ = rules_.ramp_start;
  ramp_committed_ = 0;
  ramp_ends_ = now + rules_.ramp_longest;
  enter(breaker_state::ramping, now);
}

void breaker::wait_for_probe(time_point now, double random) {
  next_probe_ = now + wait_after(failed_probes_, rules_.probe_min, rules_.probe_max, random);
}

void breaker::wait_to_ask(time_point now, double random) {
  next_ask_ = std::exchange(ask_again_, false)
                ? now
                : now + wait_after(asked_, rules_.ask_min, rules_.ask_max, random);
}

bool breaker::failed(std::size_t sender, unsigned count, const std::string& reason, time_point now,
                     double random) {
  if (count == 0)
    return false;
  bool ended = false;
  if (blocked()) {
    if (!is_probing_at(sender))
      return false; // an answer from before it opened
    probing_ = false;
    ++failed_probes_;
    wait_for_probe(now, random);
    next_ask_ = next_probe_; // of the credentials it said nothing
    ended = true;
    if (outage_ == breaker_state::open) {
      outage_reason_ = reason;
      return true;
    }
  }
  const bool first = run_ == 0;
  run_ += std::min(count, rules_.failures);
  if (run_ < rules_.failures)
    return first || ended;
  outage_reason_ = reason;
  enter(breaker_state::open, now);
  wait_for_probe(now, random);
  return true;
}

bool breaker::succeeded(time_point now) {
  const bool failing = run_ > 0;
  run_ = 0;
  if (outage_ != breaker_state::open)
    return failing;
  probing_ = probing_ && misconfigured_; // else it has found out what it was for
  ramp_up(now);
  return true;
}

bool breaker::accepted(time_point now) {
  const bool suspected = refusals_.any();
  refusals_.accepted();
  if (!misconfigured_)
    return succeeded(now) || suspected;
  misconfigured_ = false;
  probing_ = false;
  run_ = 0;
  if (outage_ == breaker_state::closed)
    outage_reason_ = configuration_reason_;
  ramp_up(now);
  return true;
}

void breaker::open_configuration(const std::string& reason, time_point now, double random) {
  misconfigured_ = true;
  configuration_reason_ = reason;
  configuration_since_ = now;
  refusals_.forget();
  refused_now_.clear();
  probing_ = false;
  asked_ = 0;
  ask_again_ = false;
  wait_to_ask(now, random);
}

bool breaker::refused(std::size_t sender, const std::string& reason,
                      const std::vector<refused_target>& targets, time_point now, double random) {
  if (misconfigured_) {
    if (!is_probing_at(sender) || targets.empty())
      return false;
    const auto target = targets.back().token;
    configuration_reason_ = reason;
    const auto known = std::find(refused_now_.begin(), refused_now_.end(), target);
    if (known != refused_now_.end() && passed_over_ < most_passed_over) {
      ++passed_over_;
      return true;
    }
    if (known != refused_now_.end())
      refused_now_.erase(known);
    refused_now_.push_back(target);
    if (refused_now_.size() > most_passed_over)
      refused_now_.erase(refused_now_.begin());
    end_refused_probe(now, random);
    return true;
  }
  const bool suspected = refusals_.any();
  if (refusals_.add(reason, targets)) {
    open_configuration(reason, now, random);
    return true;
  }
  if (outage_ == breaker_state::open && is_probing_at(sender))
    return succeeded(now); // it answers
  return refusals_.any() != suspected;
}

bool breaker::misconfigured(std::size_t sender, const std::string& reason, time_point now,
                            double random) {
  if (!misconfigured_) {
    open_configuration(reason, now, random);
    return true;
  }
  if (!is_probing_at(sender))
    return false;
  configuration_reason_ = reason;
  end_refused_probe(now, random);
  return true;
}

void breaker::end_refused_probe(time_point now, double random) {
  probing_ = false;
  ++asked_;
  wait_to_ask(now, random);
}

bool breaker::ask_now(time_point now) {
  refusals_.forget();
  if (!misconfigured_)
    return false;
  refused_now_.clear();
  asked_ = 0;
  ask_again_ = probing_;
  next_ask_ = now;
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
    const bool was = std::exchange(misconfigured_, false);
    refusals_.forget();
    probing_ = probing_ && outage_ == breaker_state::open;
    return was;
  }
  if (kind != breaker_kind::outage)
    return false;
  failed_probes_ = 0;
  return succeeded(now);
}

bool breaker::probe_due(time_point now) const {
  return blocked() && !probing_ && now >= (misconfigured_ ? next_ask_ : next_probe_);
}

std::uint64_t breaker::begin_probe(std::size_t sender, time_point now) {
  probing_ = true;
  probing_at_ = sender;
  passed_over_ = 0;
  probe_expires_ = now + rules_.probe_patience;
  return ++probe_;
}

void breaker::lose_probe(time_point now, double random) {
  if (misconfigured_ && passed_over_ > 0) {
    end_refused_probe(now, random);
    return;
  }
  probing_ = false;
  next_probe_ = now + rules_.probe_min + part_of(rules_.probe_min, random);
  next_ask_ = next_probe_;
}

bool breaker::probe_unused(std::uint64_t number, time_point now, double random) {
  if (!probing_ || number != probe_)
    return false;
  lose_probe(now, random);
  return true;
}

bool breaker::probe_idle_at(std::size_t sender, time_point now, double random) {
  if (!is_probing_at(sender))
    return false;
  lose_probe(now, random);
  if (passed_over_ == 0 || !misconfigured_) {
    next_probe_ = now + rules_.probe_again;
    next_ask_ = next_probe_;
  }
  return true;
}

bool breaker::probe_lost_at(std::size_t sender, time_point now, double random) {
  if (!is_probing_at(sender))
    return false;
  lose_probe(now, random);
  return true;
}

bool breaker::expire(time_point now, double random) {
  if (probing_) {
    if (now < probe_expires_)
      return false;
    lose_probe(now, random);
    return true;
  }
  if (blocked() || outage_ != breaker_state::ramping || now < ramp_ends_)
    return false;
  if (run_ == 0) {
    close(now);
    return true;
  }
  ramp_ends_ = now + rules_.ramp_longest;
  return false;
}

std::optional<breaker::time_point> breaker::wake_at() const {
  if (probing_)
    return probe_expires_;
  if (blocked())
    return misconfigured_ ? next_ask_ : next_probe_;
  return outage_ == breaker_state::ramping ? std::optional{ramp_ends_} : std::nullopt;
}

std::optional<breaker::time_point> breaker::next_probe(breaker_kind kind) const {
  if (probing_)
    return std::nullopt;
  if (misconfigured_)
    return kind == breaker_kind::configuration ? std::optional{next_ask_} : std::nullopt;
  return kind == breaker_kind::outage && outage_ == breaker_state::open ? std::optional{next_probe_}
                                                                        : std::nullopt;
}

breaker_state breaker::state() const {
  return blocked() ? blocked_state() : outage_;
}

breaker_state breaker::state(breaker_kind kind) const {
  switch (kind) {
  case breaker_kind::outage:
    return outage_ == breaker_state::open ? blocked_state() : outage_;
  case breaker_kind::configuration:
    return misconfigured_ ? blocked_state() : breaker_state::closed;
  case breaker_kind::token_storm:
  case breaker_kind::connection:
    break;
  }
  return breaker_state::closed;
}

std::size_t breaker::limit(std::size_t sender) const {
  if (blocked())
    return is_probing_at(sender) ? 1 : 0;
  return outage_ == breaker_state::ramping ? std::min(ramp_, rules_.window) : rules_.window;
}

const std::string& breaker::reason(breaker_kind kind) const {
  return kind == breaker_kind::configuration ? configuration_reason_ : outage_reason_;
}

breaker::time_point breaker::since(breaker_kind kind) const {
  return kind == breaker_kind::configuration ? configuration_since_ : outage_since_;
}

} // namespace signalbox
