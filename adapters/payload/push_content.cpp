#include "adapters/payload/push_content.hpp"

#include <algorithm>
#include <utility>

namespace signalbox {

namespace {

// Names of the payload's own members need no escapes.
std::string_view bare(std::string_view quoted) {
  return quoted.substr(1, quoted.size() - 2);
}

} // namespace

result<push_content> push_content::parse(std::string_view payload) {
  push_content content;
  content.members_.reserve(16);
  json_members members{payload};
  for (json_member one; members.next(one);)
    content.members_.push_back(one);
  if (!members.is_whole())
    return result<push_content>::failure(errc::invalid, "payload: not a JSON object");
  return result<push_content>::success(std::move(content));
}

std::string_view push_content::json_of(std::string_view name) const {
  for (const auto& one : members_)
    if (bare(one.name) == name)
      return one.value == "null" ? std::string_view{} : one.value;
  return {};
}

std::string_view push_content::object_of(std::string_view name) const {
  const auto value = json_of(name);
  return value.starts_with('{') ? value : std::string_view{};
}

std::string push_content::text_of(std::string_view name) const {
  return read_json_string(json_of(name)).value_or(std::string{});
}

void push_content::copy(std::string_view name, json_draft& to, std::string_view new_name) const {
  if (const auto value = json_of(name); !value.empty())
    to.set(new_name, value);
}

std::string_view push_content::largest(std::initializer_list<std::string_view> names) const {
  return *std::max_element(names.begin(), names.end(), [this](auto a, auto b) {
    return json_of(a).size() < json_of(b).size();
  });
}

std::optional<payload_refusal> check_payload_size(std::string_view payload) {
  if (payload.size() <= payload_limit_bytes)
    return std::nullopt;
  json_member largest;
  json_members members{payload};
  for (json_member one; members.next(one);)
    if (one.value.size() >= largest.value.size())
      largest = one;
  return payload_refusal{"/" + std::string{bare(largest.name)},
                         "is " + std::to_string(largest.value.size()) +
                           " bytes, and a job has room for " + std::to_string(payload_limit_bytes) +
                           " in all"};
}

} // namespace signalbox
