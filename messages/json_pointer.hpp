#pragma once

#include <string>
#include <string_view>

namespace signalbox {

/// One step of a JSON pointer, to the member of this name (RFC 6901, section 3): "/a~1b" for "a/b".
std::string json_pointer_step(std::string_view name);

} // namespace signalbox
