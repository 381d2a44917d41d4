#pragma once

#include "messages/ids.hpp"

#include <optional>
#include <string_view>

namespace signalbox {

/// The app of this name, if there is one; so far only "default".
std::optional<app_id> find_app(std::string_view name);
std::string_view app_name(app_id app);

} // namespace signalbox
