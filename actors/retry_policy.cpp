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

namespace {

bool is_charged(const verdict& verdict, standing destination) {
  return verdict.what != verdict::action::unsent &&
         (verdict.trouble == trouble::none || destination != standing::down);
}

// A target that had all its attempts before this one kept them through a success of its
// destination, or through a time in which no other was refused: else they would have been refunded.
bool may_end(const retry_rules& rules, const verdict& verdict, const target& target,
             standing destination) {
  if (verdict.trouble == trouble::none || destination == standing::working)
    return true;
  const bool had_all = target.attempts >= rules.max_attempts;
  return had_all && (destination == standing::unsure || verdict.trouble == trouble::configuration);
}

} // namespace

outcome decide(const retry_rules& rules, const verdict& verdict, const job_context& job,
               const target& target, timestamp now, double random, standing destination) {
  using action = verdict::action;
  const bool tried = verdict.what != action::unsent;
  const bool charged = is_charged(verdict, destination);
  outcome result;
  result.token = target.id;
  result.index = target.index;
  result.reason = verdict.reason;
  result.unique_id = verdict.unique_id;
  result.attempts = static_cast<std::uint16_t>(
    std::min<unsigned>(target.attempts + (charged ? 1u : 0u), UINT16_MAX));
  result.invalidate = verdict.invalidate;
  result.unregistered_at = verdict.unregistered_at;
  if (verdict.what == action::reject)
    return result;

  const bool unknown = verdict.what == action::unknown;
  const auto last = unknown ? outcome_status::unknown : outcome_status::rejected;
  if ((tried && job.single_try()) ||
      (unknown && job.options.on_unknown == unknown_policy::give_up)) {
    result.status = last;
    return result;
  }
  if (charged && result.attempts >= rules.max_attempts &&
      may_end(rules, verdict, target, destination)) {
    result.status = last;
    result.dead_letter = true;
    return result;
  }
  auto wait = retry_backoff(rules, target.attempts, verdict.throttled ? 0.5 + random / 2 : random);
  if (charged && verdict.trouble == trouble::configuration && destination != standing::working)
    wait = std::max(wait, rules.refused_min);
  if (verdict.retry_after)
    wait = std::max(wait, std::chrono::milliseconds{*verdict.retry_after});
  result.retry_at = now + wait;
  const auto deadline = job.deadline();
  if (deadline && result.retry_at >= *deadline) {
    result.status = unknown ? last : outcome_status::expired;
    return result;
  }
  result.status = outcome_status::retry;
  return result;
}

} // namespace signalbox
