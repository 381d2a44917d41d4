#include "adapters/payload/json_draft.hpp"

#include "adapters/payload/json_text.hpp"

#include <utility>

namespace signalbox {

namespace {

// Drafts are small almost always; then the names are compared one by one.
constexpr std::size_t most_compared = 16;
constexpr std::size_t usual_members = 8;

} // namespace

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
  const auto* found = find(name);
  if (found == nullptr)
    return;
  members_[static_cast<std::size_t>(found - members_.data())] = {};
  places_.erase(std::string{name});
  --count_;
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
  const auto* found = find(name);
  if (found == nullptr)
    return {};
  return found->object ? found->object->text() : found->value;
}

void json_draft::append_to(std::string& out) const {
  out += '{';
  bool is_first = true;
  for (const auto& [name, quoted, value, object] : members_) {
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

const json_draft::member* json_draft::find(std::string_view name) const {
  if (!places_.empty()) {
    const auto found = places_.find(std::string{name});
    return found == places_.end() ? nullptr : &members_[found->second];
  }
  for (const auto& one : members_)
    if (one.name == name && !one.quoted.empty())
      return &one;
  return nullptr;
}

json_draft::member& json_draft::place(std::string_view name, std::string_view quoted) {
  if (const auto* found = find(name))
    return members_[static_cast<std::size_t>(found - members_.data())];
  if (members_.empty())
    members_.reserve(usual_members);
  members_.push_back({std::string{name},
                      quoted.empty() ? write_json_string(name) : std::string{quoted},
                      {},
                      nullptr});
  ++count_;
  if (members_.size() > most_compared && places_.empty())
    for (std::size_t i = 0; i < members_.size(); ++i)
      if (!members_[i].quoted.empty())
        places_.emplace(members_[i].name, i);
  if (!places_.empty())
    places_.emplace(members_.back().name, members_.size() - 1);
  return members_.back();
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
