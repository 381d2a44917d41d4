#include "adapters/http/request.hpp"

#include <boost/beast/core/string.hpp>

#include <algorithm>

namespace signalbox::http {

namespace {

bool starts_with_scheme(std::string_view target, std::string_view scheme) {
  return target.size() > scheme.size() &&
         boost::beast::iequals({target.data(), scheme.size()}, {scheme.data(), scheme.size()});
}

} // namespace

std::string_view request::query() const {
  std::string_view target{target_};
  return path_size_ < target.size() ? target.substr(path_size_ + 1) : std::string_view{};
}

std::string_view request::header(field id) const {
  for (const auto& f : fields_)
    if (f.id == id)
      return value_of(f);
  return {};
}

std::string_view request::header(std::string_view name) const {
  for (const auto& f : fields_)
    if (boost::beast::iequals({text_.data() + f.name, f.value - f.name},
                              {name.data(), name.size()}))
      return value_of(f);
  return {};
}

std::size_t request::count(field id) const {
  return static_cast<std::size_t>(
    std::count_if(fields_.begin(), fields_.end(), [&](const auto& f) { return f.id == id; }));
}

const std::string& request::parameter(std::string_view name) const {
  static const std::string none;
  for (const auto& p : parameters)
    if (p.name == name)
      return p.value;
  return none;
}

std::string request::media_type() const {
  auto value = header(field::content_type);
  value = value.substr(0, value.find(';'));
  while (!value.empty() && (value.back() == ' ' || value.back() == '\t'))
    value.remove_suffix(1);
  std::string type{value};
  for (auto& c : type)
    if (c >= 'A' && c <= 'Z')
      c = static_cast<char>(c - 'A' + 'a');
  return type;
}

bool request::set_target(std::string_view target) {
  for (std::string_view scheme : {"http://", "https://"}) {
    if (!starts_with_scheme(target, scheme))
      continue;
    target.remove_prefix(scheme.size());
    auto end = std::min(target.find_first_of("/?"), target.size());
    authority_.assign(target.substr(0, end));
    target.remove_prefix(end);
    target_ = target.empty() || target.front() == '?' ? "/" : "";
    target_ += target;
    path_size_ = std::min(target_.find('?'), target_.size());
    return end > 0;
  }
  if (target.empty() || target.front() != '/')
    return false;
  target_.assign(target);
  path_size_ = std::min(target_.find('?'), target_.size());
  return true;
}

void request::add_field(field id, std::string_view name, std::string_view value) {
  if (fields_.empty()) {
    fields_.reserve(16);
    text_.reserve(512);
  }
  auto start = static_cast<std::uint32_t>(text_.size());
  text_ += name;
  auto middle = static_cast<std::uint32_t>(text_.size());
  text_ += value;
  fields_.push_back({id, start, middle, static_cast<std::uint32_t>(text_.size())});
}

} // namespace signalbox::http
