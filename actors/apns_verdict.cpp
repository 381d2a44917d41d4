#include "actors/apns_verdict.hpp"

#include "actors/apns_reactions.hpp"

namespace signalbox {

verdict judge_apns(const answer& from) {
  using action = verdict::action;
  auto judged = classify_apns(from);
  verdict result;
  result.reason = std::move(judged.reason);
  result.unique_id = from.unique_id;
  result.retry_after = judged.retry_after;
  switch (judged.action) {
  case apns_action::reject:
    result.what = action::reject;
    break;
  case apns_action::retry:
    result.what = from.kind == answer_kind::unsent ? action::unsent : action::retry;
    break;
  case apns_action::unknown:
    result.what = action::unknown;
    break;
  }
  if (judged.configuration)
    result.trouble = trouble::configuration;
  else if (judged.outage)
    result.trouble = trouble::outage;
  result.throttled = from.kind == answer_kind::answered && from.status == 429;
  result.invalidate = judged.invalidate;
  if (from.timestamp_ms > 0)
    result.unregistered_at = timestamp{std::chrono::milliseconds{from.timestamp_ms}};
  return result;
}

} // namespace signalbox
