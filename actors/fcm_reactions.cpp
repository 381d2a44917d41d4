#include "actors/fcm_reactions.hpp"

#include <array>
#include <string>

namespace signalbox {

namespace {

using namespace std::chrono_literals;
using action = verdict::action;

constexpr std::chrono::seconds quota_wait{60};
constexpr std::chrono::seconds outage_wait{10};

constexpr fcm_reaction permanent{};
constexpr fcm_reaction bad_token{.invalidate = invalidation::bad_token};
constexpr fcm_reaction unregistered{.invalidate = invalidation::unregistered};
constexpr fcm_reaction pause_app{.what = action::retry, .trouble = trouble::configuration};
constexpr fcm_reaction new_token{.what = action::retry, .refresh_token = true};
constexpr fcm_reaction back_off{.what = action::retry};
constexpr fcm_reaction slow_down{.what = action::retry, .wait_at_least = quota_wait};
constexpr fcm_reaction server_error{.what = action::retry, .trouble = trouble::outage};
constexpr fcm_reaction unavailable{
  .what = action::retry, .trouble = trouble::outage, .wait_at_least = outage_wait};

constexpr std::array table{
  fcm_code_row{400, "INVALID_ARGUMENT", permanent},
  fcm_code_row{400, fcm_bad_token, bad_token},
  fcm_code_row{400, "FAILED_PRECONDITION", permanent},
  fcm_code_row{401, "THIRD_PARTY_AUTH_ERROR", permanent},
  fcm_code_row{401, "UNAUTHENTICATED", new_token},
  fcm_code_row{401, fcm_credentials_refused, pause_app},
  fcm_code_row{403, "PERMISSION_DENIED", pause_app},
  fcm_code_row{403, "SENDER_ID_MISMATCH", bad_token},
  fcm_code_row{404, "NOT_FOUND", permanent},
  fcm_code_row{404, "UNREGISTERED", unregistered},
  fcm_code_row{429, "QUOTA_EXCEEDED", slow_down},
  fcm_code_row{429, "RESOURCE_EXHAUSTED", slow_down},
  fcm_code_row{500, "INTERNAL", server_error},
  fcm_code_row{503, "UNAVAILABLE", unavailable},
};

fcm_reaction reaction_by_status(std::uint16_t status) {
  if (status == 408)
    return back_off;
  if (status == 429)
    return slow_down;
  if (status >= 400 && status < 500)
    return permanent;
  return status == 503 ? unavailable : server_error;
}

const fcm_code_row* find_row(std::uint16_t status, std::string_view code) {
  for (const auto& row : table)
    if (row.status == status && row.code == code)
      return &row;
  return nullptr;
}

std::string reason_of(const answer& from) {
  if (!from.reason.empty())
    return from.reason;
  switch (from.kind) {
  case answer_kind::unsent:
    return "not_sent";
  case answer_kind::unknown:
    return "no_answer";
  case answer_kind::answered:
    break;
  }
  return "http_" + std::to_string(from.status);
}

} // namespace

std::span<const fcm_code_row> fcm_code_table() {
  return table;
}

fcm_reaction classify_fcm(const answer& from) {
  switch (from.kind) {
  case answer_kind::unsent:
    if (from.reason == fcm_no_credentials)
      return {.what = action::unsent, .trouble = trouble::configuration};
    if (from.reason == fcm_orderly_refusal || from.reason == fcm_stopping ||
        from.reason == fcm_too_late)
      return {.what = action::unsent};
    return {.what = action::unsent, .trouble = trouble::outage};
  case answer_kind::unknown:
    return {.what = action::unknown, .trouble = trouble::outage};
  case answer_kind::answered:
    break;
  }
  const std::string_view reason = from.reason;
  const auto* row = find_row(from.status, reason);
  if (row == nullptr)
    row = find_row(from.status, reason.substr(0, reason.find(':')));
  return row == nullptr ? reaction_by_status(from.status) : row->reaction;
}

verdict judge_fcm(const answer& from) {
  const auto reaction = classify_fcm(from);
  verdict result;
  result.what = reaction.what;
  result.reason = reason_of(from);
  result.trouble = reaction.trouble;
  result.invalidate = reaction.invalidate;
  result.throttled = from.kind == answer_kind::answered && from.status == 429;
  if (from.retry_after_s > 0)
    result.retry_after = std::chrono::seconds{from.retry_after_s};
  else if (reaction.wait_at_least > 0s)
    result.retry_after = reaction.wait_at_least;
  return result;
}

} // namespace signalbox
