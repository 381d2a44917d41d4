#pragma once

#include "actors/verdict.hpp"
#include "messages/job.hpp"
#include "messages/outcome.hpp"

#include <chrono>
#include <cstdint>

namespace signalbox {

struct retry_rules {
  unsigned max_attempts = 5;
  std::chrono::milliseconds backoff_min{1'000};
  std::chrono::milliseconds backoff_max{300'000};
  /// At least, after a refusal of the credentials that may be the account's fault: what is wrong
  /// with the account is rarely mended within a second, and a lone target is not to end so soon.
  std::chrono::milliseconds refused_min{15'000};
};

/// Full-jitter exponential backoff: anything from 0 to backoff_min doubled with each attempt made
/// before this one, at most backoff_max. `random` is uniform in [0, 1).
std::chrono::milliseconds retry_backoff(const retry_rules& rules, unsigned attempts_before,
                                        double random);

/// What is known of a destination when one of its requests fails for an outage, or is refused for
/// the credentials. It decides what that costs its target: nothing is dead-lettered for an outage
/// (SPEC 5).
enum class standing : std::uint8_t {
  working, ///< another request succeeded at the same time: the failure is the target's own
  unsure,  ///< the last answer was a success: this failure may begin an outage
  failing, ///< failures in a row, or no success yet
  down,    ///< the breaker is open, or opens with this failure
};

/// What becomes of a target after a try that was not accepted. `attempts_before` are the tries made
/// before this one. Not charged is a try that was never sent, and one that failed for an outage or
/// was refused for the credentials while the destination is down.
///
/// A retry waits for the backoff, and at least as long as the provider's Retry-After; one that
/// would come after the job's deadline makes the target expired at once. A ttl of 0 is never
/// retried once it was tried. A request without an answer is not repeated for a job that gives up
/// on unknown.
///
/// The last charged attempt ends the target *unknown* if it was not answered, else *rejected*, as a
/// dead letter. A failure for an outage ends it only if the destination works for others: while
/// that is unsure, a target that just used up its attempts is tried once more. So is one that was
/// refused for the credentials, whatever else is known: the breaker may open meanwhile.
outcome decide(const retry_rules& rules, const verdict& verdict, const job_context& job,
               const target& target, timestamp now, double random,
               standing destination = standing::working);

} // namespace signalbox
