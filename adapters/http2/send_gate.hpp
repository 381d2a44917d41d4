#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <limits>
#include <mutex>
#include <string>

namespace signalbox {

/// Holds back everybody who uses up the same quota of a provider, once that has answered 429.
///
/// Nothing is admitted before Retry-After is over (60 s when there was none), and at least twice as
/// long as the time before if that was of no use: since then, 429 outnumbered all other answers.
/// Then one request finds out for all; its answer opens the gate or holds it again. Thread-safe;
/// open, it costs one atomic load.
class send_gate {
public:
  using clock = std::chrono::steady_clock;

  static constexpr std::size_t unlimited = std::numeric_limits<std::size_t>::max();

  /// `name` stands in the log.
  explicit send_gate(std::string name) : name_{std::move(name)} {}

  /// How many requests may leave now: none, one or any number.
  std::size_t admit(clock::time_point now);
  /// What was admitted last did not leave in full.
  void give_back();
  /// When to ask for more.
  clock::time_point ask_again(clock::time_point now) const;
  bool is_closed() const { return state_.load(std::memory_order_relaxed) >= state::held; }

  /// The provider answered 429; `retry_after` of 0: it did not say when.
  void throttle(clock::time_point now, std::chrono::seconds retry_after);
  /// It answered something else.
  void confirm();

private:
  enum class state : unsigned char {
    open,
    recovering, ///< open, and 429 may mean that the last wait was too short
    held,
    probing, ///< one request is under way
  };

  bool must_wait_longer(clock::time_point now);

  const std::string name_;
  mutable std::mutex mutex_;
  std::atomic<state> state_{state::open};
  clock::time_point held_since_;
  clock::time_point until_;           ///< of the hold, or of the wait for the one request
  std::chrono::seconds last_wait_{0}; ///< 0: it was of use
  std::size_t confirmed_ = 0;         ///< since the last wait
  std::size_t throttled_ = 0;         ///< since the last wait
};

} // namespace signalbox
