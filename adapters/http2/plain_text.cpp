#include "adapters/http2/plain_text.hpp"

#include <algorithm>

namespace signalbox {

std::string plain_text(std::string_view text, std::size_t limit) {
  std::string plain{text.substr(0, limit)};
  std::replace_if(
    plain.begin(), plain.end(), [](char c) { return c < ' ' || c > '~' || c == '"' || c == '\\'; },
    '?');
  return plain;
}

} // namespace signalbox
