#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace signalbox {

/// Completes a message about an unknown name: `; did you mean http.port?`, for the candidate that
/// is a few letters away or differs only in its groups; empty if none is.
std::string did_you_mean(std::string_view name, const std::vector<std::string>& candidates);

} // namespace signalbox
