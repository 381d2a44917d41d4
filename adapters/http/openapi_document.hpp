#pragma once

#include <string_view>

namespace signalbox::http {

/// docs/openapi.yaml as it was when the program was built.
std::string_view openapi_document();

} // namespace signalbox::http
