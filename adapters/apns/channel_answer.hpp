#pragma once

#include "adapters/http2/client_session.hpp"
#include "messages/result.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace signalbox {

/// What APNs' refusal of a channel request comes to, with a sentence that has Apple's reason
/// (Apple, "Handling error responses from Apple Push Notification service").
result<unit> judge_channel_refusal(const http2_response& response);

/// The reason in a refusal's body; empty: there is none.
std::string channel_refusal_reason(std::string_view body);

/// The ids in the answer to a list, sorted. Fails with `unavailable` for what is no such answer.
result<std::vector<std::string>> read_channel_list(std::string_view body);

} // namespace signalbox
