#include "actors/apns_reactions.hpp"

#include <array>

namespace signalbox {

namespace {

constexpr apns_reaction permanent{};
constexpr apns_reaction bad_token{.invalidate = invalidation::bad_token};
constexpr apns_reaction unregistered{.invalidate = invalidation::unregistered};
constexpr apns_reaction pause_app{.action = apns_action::retry, .configuration = true};
// The topic is `apns.bundle`, unless the caller set it: then nobody else is concerned.
constexpr apns_reaction pause_topic{
  .action = apns_action::retry, .about_topic = true, .configuration = true};
constexpr apns_reaction wrong_topic{.invalidate = invalidation::bad_token, .about_topic = true};
// Where a new one does not help, the clock is wrong: nobody's attempts are spent on that.
constexpr apns_reaction new_token{
  .action = apns_action::retry, .refresh_token = true, .outage = true};
constexpr apns_reaction new_connection{.action = apns_action::retry, .reconnect = true};
constexpr apns_reaction shutdown{.action = apns_action::retry, .reconnect = true, .outage = true};
constexpr apns_reaction back_off{.action = apns_action::retry};
constexpr apns_reaction server_error{.action = apns_action::retry, .outage = true};

constexpr std::array table{
  apns_reason_row{400, "BadCollapseId", permanent},
  apns_reason_row{400, "BadDeviceToken", bad_token},
  apns_reason_row{400, "BadExpirationDate", permanent},
  apns_reason_row{400, "BadMessageId", permanent},
  apns_reason_row{400, "BadPriority", permanent},
  apns_reason_row{400, "BadTopic", pause_topic},
  apns_reason_row{400, "DeviceTokenNotForTopic", wrong_topic},
  apns_reason_row{400, "DuplicateHeaders", permanent},
  apns_reason_row{400, "IdleTimeout", new_connection},
  apns_reason_row{400, "InvalidPushType", permanent},
  apns_reason_row{400, "MissingDeviceToken", permanent},
  apns_reason_row{400, "MissingTopic", pause_topic},
  apns_reason_row{400, "PayloadEmpty", permanent},
  apns_reason_row{400, "TopicDisallowed", pause_topic},
  apns_reason_row{403, "BadCertificate", pause_app},
  apns_reason_row{403, "BadCertificateEnvironment", pause_app},
  apns_reason_row{403, "BadEnvironmentKeyIdInToken", pause_app},
  apns_reason_row{403, "ExpiredProviderToken", new_token},
  apns_reason_row{403, "Forbidden", pause_app},
  apns_reason_row{403, "InvalidProviderToken", pause_app},
  apns_reason_row{403, "MissingProviderToken", pause_app},
  apns_reason_row{403, "UnrelatedKeyIdInToken", new_connection},
  apns_reason_row{403, apns_token_replaced, back_off},
  apns_reason_row{404, "BadPath", permanent},
  apns_reason_row{405, "MethodNotAllowed", permanent},
  apns_reason_row{410, "ExpiredToken", unregistered},
  apns_reason_row{410, "Unregistered", unregistered},
  apns_reason_row{413, "PayloadTooLarge", permanent},
  apns_reason_row{429, "TooManyProviderTokenUpdates", server_error},
  apns_reason_row{429, "TooManyRequests", back_off},
  apns_reason_row{500, "InternalServerError", server_error},
  apns_reason_row{503, "ServiceUnavailable", server_error},
  apns_reason_row{503, "Shutdown", shutdown},
};

apns_reaction reaction_by_status(std::uint16_t status) {
  if (status == 408 || status == 429)
    return back_off;
  if (status >= 400 && status < 500)
    return permanent;
  return server_error;
}

apns_reaction reaction_to(const answer& from) {
  switch (from.kind) {
  case answer_kind::unsent:
    if (from.reason == apns_no_credentials)
      return pause_app;
    if (from.reason == apns_orderly_refusal || from.reason == apns_stopping)
      return back_off;
    return server_error;
  case answer_kind::unknown:
    return {.action = apns_action::unknown, .outage = true};
  case answer_kind::answered:
    break;
  }
  for (const auto& row : table)
    if (row.status == from.status && row.reason == from.reason)
      return row.reaction.about_topic && from.callers_topic ? permanent : row.reaction;
  return reaction_by_status(from.status);
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

std::span<const apns_reason_row> apns_reason_table() {
  return table;
}

apns_verdict classify_apns(const answer& from) {
  apns_verdict verdict{reaction_to(from), std::nullopt, reason_of(from)};
  if (from.retry_after_s > 0)
    verdict.retry_after = std::chrono::seconds{from.retry_after_s};
  return verdict;
}

} // namespace signalbox
