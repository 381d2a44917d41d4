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
  bad_token,        ///< BadDeviceToken and its like: subject to the token-storm breaker
  mismatched_token, ///< DeviceTokenNotForTopic: as bad_token, and only while the topic works for
                    ///< others
  unregistered,     ///< 410, UNREGISTERED: exempt from the breaker, subject to the timestamp rule
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

/// Outcomes of one work, as a sender reports them: the accepted ones by index alone.
struct outcome_batch {
  work_ptr of;
  std::vector<std::uint32_t> accepted; ///< positions in `of->targets`
  std::vector<outcome> others;
  timestamp at; ///< when the answers arrived

  std::size_t size() const { return accepted.size() + others.size(); }
};

} // namespace signalbox
