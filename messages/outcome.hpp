#pragma once

#include "messages/outcome_status.hpp"
#include "messages/work.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace signalbox {

/// Why a token is to be invalidated, and by which rule.
enum class invalidation : std::uint8_t {
  none,
  bad_token,    ///< BadDeviceToken and its like: subject to the token guard
  unregistered, ///< 410, UNREGISTERED: exempt from the guard, subject to the timestamp rule
};

/// An outcome that needs more than a bit and a count.
struct outcome {
  token_id token = 0;
  std::uint32_t index = 0;
  outcome_status status = outcome_status::rejected;
  std::string reason;         ///< the provider's, or ours ("cancelled", "expired", "no_answer" ...)
  std::string unique_id;      ///< the provider's own of the last request; empty: none
  std::uint16_t attempts = 0; ///< tries made, this one included
  timestamp retry_at;         ///< status retry
  invalidation invalidate = invalidation::none;
  std::optional<timestamp> unregistered_at; ///< the 410's timestamp; none: time of the answer
  /// The target ran out of attempts: it is listed as a dead letter, in the same transaction.
  bool dead_letter = false;
};

/// A token that was rejected before its environment had proved itself, and is invalidated now
/// unless it was registered after `at`.
struct late_invalidation {
  token_id token = 0;
  std::string reason;
  timestamp at; ///< of the answer
};

/// Outcomes of one work, as a sender reports them: the accepted ones by index alone.
struct outcome_batch {
  work_ptr of;
  std::vector<std::uint32_t> accepted; ///< positions in `of->targets`
  std::vector<outcome> others;
  timestamp at; ///< when the answers arrived
  /// Of earlier works' tokens: written with this batch, also if its work's lease is another's now.
  std::vector<late_invalidation> late{};

  std::size_t size() const { return accepted.size() + others.size(); }
};

} // namespace signalbox
