#pragma once

#include "actors/breaker_board.hpp"
#include "actors/token_storm.hpp"
#include "actors/unproved_tokens.hpp"
#include "messages/outcome.hpp"

#include <compare>
#include <map>
#include <optional>
#include <string>

namespace signalbox {

/// The two times of an event: the boot clock's for windows, the wall clock's to show.
struct guard_time {
  timestamp wall;
  boot_clock::time_point boot;
};

/// Judges, before a lane's outcomes are written, which of them may invalidate their token. It
/// outlives the batcher, so that a crash forgets neither a storm nor a proof; only the actor that
/// is there touches it.
///
/// *Proof*: an answer that blames the token may as well mean a wrong environment, bundle or
/// project. So it invalidates nothing until something was accepted there: for that app, provider
/// and environment, and at APNs for that topic (pushes and Live Activities have different ones).
/// Tokens that were blamed before are remembered, and invalidated with the first batch that has
/// something accepted. Credentials that were read again have to prove themselves anew, as have
/// those of a node that was started anew. *Storm*: see `token_storm`; what a storm blames is not
/// remembered either.
class token_guard {
public:
  token_guard(std::string lane, breaker_board& board) : lane_(std::move(lane)), board_(board) {}

  /// Counts the batch's answers, takes the invalidation from those that may not have it, and adds
  /// to the batch what may be invalidated now of what was blamed before.
  void judge(outcome_batch& batch, const guard_time& now);

  /// Forgets the storms: of one destination, or of all.
  void reset(const std::optional<destination>& dest, const guard_time& now);

  /// The credentials may be others: what was proved or blamed with those before is forgotten.
  void prove_again(const std::optional<destination>& dest);

  /// Takes storms that are over off the board; true while any rages.
  bool refresh(const guard_time& now);

private:
  struct entry {
    token_storm storm;
    std::string reason; ///< of the answer that tripped it
    std::optional<timestamp> since;
  };
  struct topic {
    destination dest;
    bool of_activities = false;
    auto operator<=>(const topic&) const = default;
  };
  struct proof {
    bool given = false;
    unproved_tokens blamed;
  };

  static topic topic_of(const work& of);
  void note_unproved(const topic& of, const std::string& reason) const;
  void publish(const destination& dest, entry& of, const guard_time& now);

  std::string lane_;
  breaker_board& board_;
  std::map<destination, entry> storms_;
  std::map<topic, proof> proofs_;
};

} // namespace signalbox
