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
};

/// Full-jitter exponential backoff: anything from 0 to backoff_min doubled with each attempt made
/// before this one, at most backoff_max. `random` is uniform in [0, 1).
std::chrono::milliseconds retry_backoff(const retry_rules& rules, unsigned attempts_before,
                                        double random);

/// What becomes of a target after a try that was not accepted. `attempts_before` are the tries made
/// before this one; a try that was never sent is not charged. A retry waits for the backoff, and at
/// least as long as the provider's Retry-After; one that would come after the job's deadline makes
/// the target expired at once. A ttl of 0 is never retried. The last attempt ends *unknown* if it
/// was not answered, else *rejected*.
outcome decide(const retry_rules& rules, const verdict& verdict, const job_context& job,
               const target& target, timestamp now, double random);

} // namespace signalbox
