#pragma once

#include <string>
#include <string_view>

namespace signalbox {

/// The reason in the body of an FCM error, as actors/fcm_reactions.hpp reads it: FCM's own error
/// code out of an FcmError detail, else Google's canonical one. INVALID_ARGUMENT gets the field
/// that is to blame behind a colon: the first of `fieldViolations`, and `message.token` where FCM's
/// own code comes with a text about the registration token. Empty when the body says nothing of the
/// kind. Pure.
std::string read_fcm_error(std::string_view body);

} // namespace signalbox
