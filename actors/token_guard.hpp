#pragma once

#include "actors/breaker_board.hpp"
#include "actors/token_storm.hpp"
#include "messages/outcome.hpp"

#include <map>
#include <optional>
#include <string>

namespace signalbox {

/// The token-storm breakers of a lane: judges, before outcomes are written, which of them may
/// invalidate their token. It outlives the batcher, so that a crash does not forget a storm; only
/// the actor that is there touches it.
class token_guard {
public:
  token_guard(std::string lane, breaker_board& board) : lane_(std::move(lane)), board_(board) {}

  /// Counts the batch's answers and takes the invalidation from those that a storm, or a topic that
  /// works for nobody, speaks for.
  void judge(outcome_batch& batch);

  /// Forgets what was counted: of one destination, or of all.
  void reset(const std::optional<destination>& dest, timestamp now);

  /// Takes storms that are over off the board; true while any rages.
  bool refresh(timestamp now);

private:
  struct entry {
    token_storm storm;
    std::string reason; ///< of the answer that tripped it
    std::optional<timestamp> since;
  };

  void publish(const destination& dest, entry& of, timestamp now);

  std::string lane_;
  breaker_board& board_;
  std::map<destination, entry> storms_;
};

} // namespace signalbox
