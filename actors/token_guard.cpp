#include "actors/token_guard.hpp"

namespace signalbox {

namespace {

token_storm::seconds seconds_of(timestamp at) {
  return std::chrono::floor<std::chrono::seconds>(at).time_since_epoch();
}

bool blames_token(const outcome& each) {
  return each.invalidate == invalidation::bad_token ||
         each.invalidate == invalidation::mismatched_token;
}

} // namespace

void token_guard::judge(outcome_batch& batch) {
  const auto now = seconds_of(batch.at);
  auto& of = storms_[batch.of->dest];
  // Those that blame their token count one by one, as they are judged: none vouches for another.
  std::uint64_t others = batch.accepted.size();
  for (const auto& each : batch.others)
    others += !blames_token(each) && each.status != outcome_status::skipped &&
              each.status != outcome_status::expired;
  of.storm.count(now, others, 0);
  for (auto& each : batch.others) {
    if (!blames_token(each))
      continue;
    of.storm.count(now, 1, 1);
    const bool blameless =
      each.invalidate == invalidation::mismatched_token && !of.storm.works_for_others(now);
    const bool tripped = of.storm.tripped(now);
    if (tripped && !of.since)
      of.reason = each.reason;
    each.invalidate = tripped || blameless ? invalidation::none : invalidation::bad_token;
  }
  publish(batch.of->dest, of, batch.at);
}

void token_guard::reset(const std::optional<destination>& dest, timestamp now) {
  for (auto& [at, of] : storms_) {
    if (dest && *dest != at)
      continue;
    of.storm = {};
    publish(at, of, now);
  }
}

bool token_guard::refresh(timestamp now) {
  bool any = false;
  for (auto& [dest, of] : storms_) {
    if (!of.since)
      continue;
    publish(dest, of, now);
    any = any || of.since;
  }
  return any;
}

void token_guard::publish(const destination& dest, entry& of, timestamp now) {
  const bool tripped = of.storm.tripped(seconds_of(now));
  if (tripped == of.since.has_value())
    return;
  of.since = tripped ? std::optional{now} : std::nullopt;
  board_.put({{lane_, dest, breaker_kind::token_storm},
              tripped ? breaker_state::open : breaker_state::closed,
              of.reason,
              now,
              std::nullopt});
}

} // namespace signalbox
