#pragma once

#include <string_view>

namespace signalbox {

/// Whether a variable is one that Kubernetes gives every container for a Service of its namespace:
/// a Service named `signalbox` (or `signalbox-...`) makes names that begin like those of settings.
bool is_service_link(std::string_view name, std::string_view value);

} // namespace signalbox
