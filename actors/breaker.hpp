#pragma once

#include "actors/breaker_board.hpp"
#include "actors/refusals.hpp"
#include "messages/work.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace signalbox {

struct breaker_rules {
  unsigned failures = 20; ///< in a row, without a success, open it
  std::chrono::milliseconds probe_min{1'000};
  std::chrono::milliseconds probe_max{30'000};
  std::chrono::milliseconds probe_again{100}; ///< after one that found nothing left to send
  std::chrono::milliseconds ask_min{30'000};  ///< between probes while the credentials are refused
  std::chrono::milliseconds ask_max{240'000};
  std::chrono::milliseconds probe_patience{120'000}; ///< a probe that long without a word is lost
  std::chrono::milliseconds ramp_longest{
    60'000};                  ///< it ends then, if nothing fails: little traffic
  std::size_t ramp_start = 2; ///< requests in flight at a sender after the first success
  std::size_t window = 1'400; ///< where the ramp ends
};

/// The outage and the configuration breaker of one destination in one lane (SPEC 5): a state
/// machine without a clock, a random source or messages of its own. What changes the state answers
/// whether it did, so that the caller tells those who must know.
///
/// *Outage*: closed > open after so many failures in a row > probing, one probe at a time > ramping
/// at the first success > closed when enough was committed. A failed probe makes the next one wait
/// twice as long; one that never got to send anything does not. *Configuration*: closed > open when
/// refusals are the account's fault (`refusals`) or the node itself has no credentials > probing >
/// closed, with a ramp, when a request is accepted. While both are open, one probe is for both.
///
/// A probe that is refused ends, but for one thing: a target that was refused in an earlier probe
/// says nothing new, and the probe goes on to the next one, a few times. So no targets at fault
/// can keep it open between them.
class breaker {
public:
  using time_point = boot_clock::time_point;

  explicit breaker(const breaker_rules& rules) : rules_(rules) {}

  /// So many more failures of outage kind at a sender. `random` is uniform in [0, 1).
  bool failed(std::size_t sender, unsigned count, const std::string& reason, time_point now,
              double random);
  /// The provider worked for a request, of whichever sender.
  bool succeeded(time_point now);
  /// It accepted one, or said that it knows the target: the credentials are good.
  bool accepted(time_point now);
  /// The provider refused the credentials to targets of a sender.
  bool refused(std::size_t sender, const std::string& reason,
               const std::vector<refused_target>& targets, time_point now, double random);
  /// The node has no credentials to send with.
  bool misconfigured(std::size_t sender, const std::string& reason, time_point now, double random);
  /// The credentials may be good again: the next probe is due.
  bool ask_now(time_point now);
  /// Outcomes of requests that were answered are durable: what the ramp counts.
  bool committed(std::size_t count, time_point now);
  bool reset(breaker_kind kind, time_point now);

  /// Whether a probe may start.
  bool probe_due(time_point now) const;
  /// Starts the probe at a sender; answers its number, which is never 0.
  std::uint64_t begin_probe(std::size_t sender, time_point now);
  /// The room of this probe came back unused. Another number, of a probe that is over: nothing.
  bool probe_unused(std::uint64_t number, time_point now, double random);
  /// The sender got through all it had to probe with: it was expired, skipped or paused.
  bool probe_idle_at(std::size_t sender, time_point now, double random);
  /// The sender is another actor now.
  bool probe_lost_at(std::size_t sender, time_point now, double random);
  /// Gives up a probe that has been out for too long, ends a ramp that has gone well for long
  /// enough.
  bool expire(time_point now, double random);
  /// When to look again: at a probe that becomes due, or at what expires.
  std::optional<time_point> wake_at() const;

  breaker_state state() const; ///< of both: what they mean for traffic
  breaker_state state(breaker_kind kind) const;
  /// Requests that may be in flight at a sender.
  std::size_t limit(std::size_t sender) const;
  /// Failures or refusals were seen, or it is not closed: senders are to tell of their next
  /// success.
  bool watching() const { return run_ > 0 || refusals_.any() || blocked(); }
  const std::string& reason(breaker_kind kind) const;
  time_point since(breaker_kind kind) const;
  std::optional<time_point> next_probe(breaker_kind kind) const; ///< while open

private:
  bool blocked() const { return misconfigured_ || outage_ == breaker_state::open; }
  bool is_probing_at(std::size_t sender) const { return probing_ && sender == probing_at_; }
  breaker_state blocked_state() const;
  void close(time_point now);
  void ramp_up(time_point now);
  void enter(breaker_state state, time_point now);
  void open_configuration(const std::string& reason, time_point now, double random);
  void wait_for_probe(time_point now, double random);
  void wait_to_ask(time_point now, double random);
  void end_refused_probe(time_point now, double random);
  void lose_probe(time_point now, double random);

  breaker_rules rules_;
  unsigned run_ = 0;
  breaker_state outage_ = breaker_state::closed; ///< never probing: that is `probing_`
  std::string outage_reason_;
  time_point outage_since_;
  unsigned failed_probes_ = 0; ///< since it was closed
  time_point next_probe_;
  bool probing_ = false;    ///< for whatever is open
  std::uint64_t probe_ = 0; ///< the last one's number
  std::size_t probing_at_ = 0;
  time_point probe_expires_;
  std::size_t ramp_ = 0;
  time_point ramp_ends_;
  std::size_t ramp_committed_ = 0;
  refusals refusals_; ///< while it is closed
  bool misconfigured_ = false;
  std::string configuration_reason_;
  time_point configuration_since_;
  unsigned asked_ = 0; ///< refused probes, since it opened or was told to ask
  time_point next_ask_;
  bool ask_again_ = false;            ///< told to ask while a probe was out
  std::vector<token_id> refused_now_; ///< targets of the last probes that were refused
  unsigned passed_over_ = 0;          ///< of them, by this probe
};

} // namespace signalbox
