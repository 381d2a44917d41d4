#include "messages/json_pointer.hpp"

namespace signalbox {

std::string json_pointer_step(std::string_view name) {
  std::string step{'/'};
  for (const char c : name) {
    if (c == '~')
      step += "~0";
    else if (c == '/')
      step += "~1";
    else
      step += c;
  }
  return step;
}

} // namespace signalbox
