#pragma once

#include "adapters/payload/json_draft.hpp"
#include "adapters/payload/push_content.hpp"
#include "messages/activity.hpp"
#include "messages/result.hpp"

#include <chrono>
#include <string_view>

namespace signalbox {

/// How long FCM keeps a dispatch of a Live Activity that has no deadline of its own.
inline constexpr std::chrono::seconds fcm_activity_ttl{3600};

/// Names that FCM keeps for itself as keys of `data` (Firebase, "Customize a message across
/// platforms").
bool is_reserved_by_fcm(std::string_view key);

/// The message of a dispatch of a Live Activity, without ttl and target (SPEC 6.8): `data` alone,
/// with high priority unless `content` says otherwise.
///
/// `data` has `type` ("live_activity"), `action`, `activity_id`, `activity_type`, `timestamp`
/// (epoch seconds, never decreasing within an activity, so that an app can drop what is older than
/// what it shows) and `payload`, the content-state as it came ("{}" without one). Beside them stand
/// the content-state's own members as texts, all but texts as they were written, nulls left out,
/// and none whose name is taken or reserved by FCM. Collapse key is the given one, else, except on
/// a start, the activity's id. Fails with errc::invalid when the content-state is not a JSON
/// object. Pure.
result<unit> render_fcm_activity(const push_content& content, const activity_event& event,
                                 json_draft& message);

/// Puts back what `data` says about the activity, whatever was merged over it.
void restore_activity_data(const activity_event& event, json_draft& message);

} // namespace signalbox
