#include "adapters/payload/apns_overlay.hpp"

#include "adapters/payload/json_text.hpp"

#include <algorithm>
#include <array>

namespace signalbox {

namespace {

constexpr std::array<apns_push_type, 10> push_types{{
  {"alert", ""},
  {"background", ""},
  {"liveactivity", ".push-type.liveactivity"},
  {"voip", ".voip", 5120},
  {"complication", ".complication"},
  {"fileprovider", ".pushkit.fileprovider"},
  {"location", ".location-query"},
  {"pushtotalk", ".voip-ptt"},
  {"widgets", ".push-type.widgets"},
  {"controls", ".push-type.controls"},
}};

} // namespace

const apns_push_type* find_apns_push_type(std::string_view name) {
  const auto found = std::find_if(push_types.begin(), push_types.end(),
                                  [name](const auto& one) { return one.name == name; });
  return found == push_types.end() ? nullptr : &*found;
}

apns_overlay::apns_overlay(const push_content& content) {
  const auto object = content.object_of("apns");
  json_members members{object};
  for (json_member one; members.next(one);) {
    if (one.name == "\"headers\"")
      headers_ = one.value;
    else if (one.name == "\"payload\"")
      payload_ = one.value;
  }
  // A job that was accepted when `apns` itself was the payload's overlay.
  if (headers_.empty() && payload_.empty())
    payload_ = object;
}

std::string apns_overlay::header(std::string_view name) const {
  json_members members{headers_};
  for (json_member one; members.next(one);)
    if (read_json_string(one.name) == name)
      return read_json_string(one.value).value_or(std::string{});
  return {};
}

} // namespace signalbox
