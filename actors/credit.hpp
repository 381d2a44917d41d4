#pragma once

#include "actors/bounded.hpp"
#include "actors/breaker.hpp"
#include "actors/breaker_board.hpp"
#include "actors/credit_ledger.hpp"
#include "actors/ports/clock.hpp"
#include "messages/protocol.hpp"

#include <caf/typed_event_based_actor.hpp>

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <vector>

namespace signalbox {

struct credit_options {
  std::string lane;
  std::size_t capacity = 3'400; ///< targets that a sender holds at most, for each destination
  /// What a probe may claim, so that it gets past what is expired by now. One of it is sent at
  /// first.
  std::size_t probe_targets = 1'000;
  breaker_rules breakers;
  std::uint64_t seed = 0; ///< of the jitter
};

/// A lane's breakers. It outlives the credit actor: its successor goes on with it. Only the actor
/// touches it.
using lane_breakers = std::map<destination, breaker>;

/// The one place of a lane where room at the senders is shared out, so that masters never promise
/// the same room twice. Requests that cannot be met wait here, in turn. It holds the breakers: an
/// open destination has no room, but at times for a probe at one sender.
class credit_actor : public bounded<credit::base> {
public:
  credit_actor(caf::actor_config& cfg, std::shared_ptr<mailbox_stats> mailbox,
               const wall_clock& clock, breaker_board& board,
               std::shared_ptr<lane_breakers> breakers, credit_options options);

  behavior_type make_behavior() override;
  void on_exit() override;

private:
  using shares = std::vector<credit_share>;

  void serve();
  shares start_probes(const credit_request& request);
  void grant(std::size_t master, shares granted, bool claim);
  void give_back(const shares& room);
  void change_peers(std::shared_ptr<const lane_peers> peers);

  void take_report(const destination_report& report);
  void reset(const reset_breakers& which);
  void ask(const probe_now& which);
  void look_at_breakers();
  /// A breaker's state is another: room, senders, masters and the board follow.
  void apply(const destination& dest, bool success = false, bool accepted = false);
  void tell_senders(const destination& dest, const breaker& of, bool success, bool accepted);
  void publish(const destination& dest, const breaker& of);
  void wake();
  breaker& breaker_of(const destination& dest);
  double jitter();

  const wall_clock& clock_;
  breaker_board& board_;
  std::shared_ptr<lane_breakers> breakers_;
  credit_options options_;
  credit_ledger ledger_;
  std::mt19937_64 random_;
  std::shared_ptr<const lane_peers> peers_;
  std::map<std::size_t, credit_request> waiting_; ///< by master
  std::size_t last_served_ = 0;
  std::optional<boot_clock::time_point> wakes_at_; ///< of the timer that is under way
};

} // namespace signalbox
