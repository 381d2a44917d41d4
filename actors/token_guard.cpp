#include "actors/token_guard.hpp"

#include <spdlog/spdlog.h>

namespace signalbox {

namespace {

token_storm::seconds seconds_of(const guard_time& at) {
  return std::chrono::floor<std::chrono::seconds>(at.boot).time_since_epoch();
}

bool blames_token(const outcome& each) {
  return each.invalidate == invalidation::bad_token;
}

} // namespace

token_guard::topic token_guard::topic_of(const work& of) {
  return {of.dest, of.dest.provider == platform::apns && of.job->activity.has_value()};
}

void token_guard::judge(outcome_batch& batch, const guard_time& at) {
  const auto now = seconds_of(at);
  const auto place = topic_of(*batch.of);
  auto& of = storms_[place.dest];
  auto& proof = proofs_[place];
  if (!batch.accepted.empty()) {
    proof.given = true;
    if (!proof.blamed.empty())
      for (const auto position : batch.accepted)
        proof.blamed.forget(batch.of->targets[position].id);
  }
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
    const bool tripped = of.storm.tripped(now);
    if (tripped && !of.since)
      of.reason = each.reason;
    if (!tripped && proof.given)
      continue;
    each.invalidate = invalidation::none;
    if (tripped)
      continue;
    if (proof.blamed.empty())
      note_unproved(place, each.reason);
    proof.blamed.add({each.token, each.reason, batch.at});
  }
  while (!batch.accepted.empty() && !proof.blamed.empty() && !of.storm.tripped(now)) {
    of.storm.count(now, 1, 1);
    if (of.storm.tripped(now))
      break;
    batch.late.push_back(proof.blamed.take());
  }
  publish(place.dest, of, at);
}

void token_guard::reset(const std::optional<destination>& dest, const guard_time& now) {
  for (auto& [at, of] : storms_) {
    if (dest && *dest != at)
      continue;
    of.storm = {};
    publish(at, of, now);
  }
}

void token_guard::prove_again(const std::optional<destination>& dest) {
  std::erase_if(proofs_, [&](const auto& each) { return !dest || each.first.dest == *dest; });
}

bool token_guard::refresh(const guard_time& now) {
  bool any = false;
  for (auto& [dest, of] : storms_) {
    if (!of.since)
      continue;
    publish(dest, of, now);
    any = any || of.since;
  }
  return any;
}

void token_guard::note_unproved(const topic& of, const std::string& reason) const {
  spdlog::warn("event=tokens_not_invalidated lane={} app={} provider={} environment={} reason={:?} "
               "note=\"nothing was accepted there yet\"",
               lane_, of.dest.app, to_string(of.dest.provider), to_string(of.dest.env), reason);
}

void token_guard::publish(const destination& dest, entry& of, const guard_time& now) {
  const bool tripped = of.storm.tripped(seconds_of(now));
  if (tripped == of.since.has_value())
    return;
  of.since = tripped ? std::optional{now.wall} : std::nullopt;
  board_.put({{lane_, dest, breaker_kind::token_storm},
              tripped ? breaker_state::open : breaker_state::closed,
              of.reason,
              now.wall,
              std::nullopt});
}

} // namespace signalbox
