#include "actors/retry_policy.hpp"

#include <algorithm>

namespace signalbox {

std::chrono::milliseconds retry_backoff(const retry_rules& rules, unsigned attempts_before,
                                        double random) {
  auto ceiling = rules.backoff_min;
  for (unsigned i = 0; i < attempts_before && ceiling < rules.backoff_max; ++i)
    ceiling *= 2;
  ceiling = std::min(ceiling, rules.backoff_max);
  return std::chrono::milliseconds{
    static_cast<std::int64_t>(static_cast<double>(ceiling.count()) * random)};
}

outcome decide(const retry_rules& rules, const verdict& verdict, const job_context& job,
               const target& target, timestamp now, double random) {
  using action = verdict::action;
  const bool charged = verdict.what != action::unsent;
  outcome result;
  result.token = target.id;
  result.index = target.index;
  result.reason = verdict.reason;
  result.attempts = static_cast<std::uint16_t>(target.attempts + (charged ? 1 : 0));
  result.invalidate = verdict.invalidate;
  result.unregistered_at = verdict.unregistered_at;
  if (verdict.what == action::reject)
    return result;

  const auto last =
    verdict.what == action::unknown ? outcome_status::unknown : outcome_status::rejected;
  if (charged && (job.single_try() || result.attempts >= rules.max_attempts)) {
    result.status = last;
    return result;
  }
  auto wait = retry_backoff(rules, target.attempts, random);
  if (verdict.retry_after)
    wait = std::max(wait, std::chrono::milliseconds{*verdict.retry_after});
  result.retry_at = now + wait;
  const auto deadline = job.deadline();
  if (deadline && result.retry_at >= *deadline) {
    result.status = last == outcome_status::unknown ? last : outcome_status::expired;
    return result;
  }
  result.status = outcome_status::retry;
  return result;
}

} // namespace signalbox
