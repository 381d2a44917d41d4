#pragma once

#include "actors/verdict.hpp"
#include "messages/answer.hpp"
#include "messages/outcome.hpp"

#include <chrono>
#include <cstdint>
#include <span>
#include <string_view>

namespace signalbox {

/// What to do about one answer of FCM.
struct fcm_reaction {
  verdict::action what = verdict::action::reject;
  invalidation invalidate = invalidation::none;
  signalbox::trouble trouble = signalbox::trouble::none;
  bool refresh_token = false;            ///< a new access token; the FCM transport asks for it
  std::chrono::seconds wait_at_least{0}; ///< before the next try, without a Retry-After

  bool operator==(const fcm_reaction&) const = default;
};

/// One row of the table. `code` is FCM's own error code where the answer has one, else Google's
/// canonical one.
struct fcm_code_row {
  std::uint16_t status;
  std::string_view code;
  fcm_reaction reaction;
};

/// The code-to-reaction table.
///
/// Sources: Firebase, "FCM error codes" and "Best practices when sending FCM messages at scale".
/// Only what names the token invalidates it: UNREGISTERED (exempt from the token guard),
/// INVALID_ARGUMENT about `message.token`, and SENDER_ID_MISMATCH. THIRD_PARTY_AUTH_ERROR is about
/// one target (an iOS or web device of a project without their keys) and rejects it.
std::span<const fcm_code_row> fcm_code_table();

/// Classifies any answer of FCM that is not a success by its reason, then by its status: 408 and
/// 429 are tried again, 5xx and what is no client error at all are an outage, other 4xx are
/// permanent, and none of them invalidates a token or speaks for others. A text behind the code
/// ("INVALID_ARGUMENT:message.android.ttl") is kept in the reason. Pure.
fcm_reaction classify_fcm(const answer& from);

/// What a sender makes of an answer of FCM, in the terms that are common to all providers. Pure.
verdict judge_fcm(const answer& from);

/// INVALID_ARGUMENT that is about the registration token.
inline constexpr std::string_view fcm_bad_token = "INVALID_ARGUMENT:message.token";
/// Texts that the transport itself gives as `answer::reason`.
inline constexpr std::string_view fcm_no_credentials = "no_credentials"; ///< configuration
/// An access token that was fetched because FCM refused the one before is refused as well.
inline constexpr std::string_view fcm_credentials_refused = "credentials_refused";
inline constexpr std::string_view fcm_no_access_token = "no_access_token"; ///< outage
inline constexpr std::string_view fcm_paced = "paced"; ///< held back after a 429: outage
inline constexpr std::string_view fcm_orderly_refusal = "refused"; ///< too many tries
inline constexpr std::string_view fcm_stopping = "stopping";       ///< not sent at a stop
inline constexpr std::string_view fcm_too_late = "expired"; ///< its deadline passed while it waited

} // namespace signalbox
