#include "adapters/payload/json_draft.hpp"

#include "adapters/payload/json_text.hpp"

#include <utility>

namespace signalbox {

json_draft& json_draft::set(std::string_view name, std::string_view value) {
  auto& into = place(name, {});
  into.object.reset();
  into.value = value;
  return *this;
}

json_draft& json_draft::set_text(std::string_view name, std::string_view text) {
  return set(name, write_json_string(text));
}

void json_draft::add(std::string_view quoted, std::string_view value) {
  if (const auto name = read_json_string(quoted); name && !contains(*name))
    place(*name, quoted).value = value;
}

void json_draft::erase(std::string_view name) {
  const auto found = places_.find(std::string{name});
  if (found == places_.end())
    return;
  members_[found->second] = {};
  places_.erase(found);
}

json_draft& json_draft::object(std::string_view name) {
  return open(place(name, {}));
}

void json_draft::merge(std::string_view patch) {
  json_members members{patch};
  for (json_member one; members.next(one);) {
    const auto name = read_json_string(one.name);
    if (!name)
      continue;
    if (one.value == "null") {
      erase(*name);
    } else if (one.value.starts_with('{')) {
      open(place(*name, one.name)).merge(one.value);
    } else {
      auto& into = place(*name, one.name);
      into.object.reset();
      into.value = one.value;
    }
  }
}

std::string json_draft::text_of(std::string_view name) const {
  const auto found = places_.find(std::string{name});
  if (found == places_.end())
    return {};
  const auto& member = members_[found->second];
  return member.object ? member.object->text() : member.value;
}

void json_draft::append_to(std::string& out) const {
  out += '{';
  bool is_first = true;
  for (const auto& [quoted, value, object] : members_) {
    if (quoted.empty())
      continue;
    if (!std::exchange(is_first, false))
      out += ',';
    out.append(quoted) += ':';
    object ? object->append_to(out) : void(out += value);
  }
  out += '}';
}

std::string json_draft::text() const {
  std::string out;
  append_to(out);
  return out;
}

json_draft::member& json_draft::place(std::string_view name, std::string_view quoted) {
  const auto [at, is_new] = places_.try_emplace(std::string{name}, members_.size());
  if (is_new)
    members_.push_back(
      {quoted.empty() ? write_json_string(name) : std::string{quoted}, {}, nullptr});
  return members_[at->second];
}

json_draft& json_draft::open(member& of) {
  if (of.object)
    return *of.object;
  of.object = std::make_unique<json_draft>();
  json_members members{of.value};
  for (json_member one; members.next(one);)
    of.object->add(one.name, one.value);
  return *of.object;
}

} // namespace signalbox
