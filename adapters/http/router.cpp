#include "adapters/http/router.hpp"

#include <boost/url/pct_string_view.hpp>

#include <algorithm>
#include <cstddef>
#include <optional>
#include <stdexcept>

namespace signalbox::http {

namespace {

/// The segments of a path, without the empty one that a trailing slash leaves.
std::vector<std::string_view> split(std::string_view path) {
  std::vector<std::string_view> segments;
  segments.reserve(8);
  if (!path.empty() && path.front() == '/')
    path.remove_prefix(1);
  while (!path.empty()) {
    auto end = std::min(path.find('/'), path.size());
    segments.push_back(path.substr(0, end));
    path.remove_prefix(std::min(end + 1, path.size()));
  }
  return segments;
}

bool is_parameter(std::string_view segment) {
  return segment.size() > 2 && segment.front() == '{' && segment.back() == '}';
}

std::optional<std::string> decode(std::string_view segment) {
  if (segment.find('%') == segment.npos)
    return std::string{segment};
  auto checked = boost::urls::make_pct_string_view({segment.data(), segment.size()});
  if (!checked)
    return std::nullopt;
  return checked->decode();
}

} // namespace

struct router::node {
  std::vector<std::pair<std::string, std::unique_ptr<node>>> literals;
  std::unique_ptr<node> parameter;
  /// A route with the names of its parameters, in order.
  struct entry {
    const route* target;
    std::vector<std::string> names;
  };
  std::vector<entry> entries;

  node& child(std::string_view segment) {
    if (is_parameter(segment)) {
      if (!parameter)
        parameter = std::make_unique<node>();
      return *parameter;
    }
    for (auto& [text, next] : literals)
      if (text == segment)
        return *next;
    literals.emplace_back(std::string{segment}, std::make_unique<node>());
    return *literals.back().second;
  }

  /// Depth first, literals before parameters, so that `/v1/users/tokens` is a path of its own for
  /// POST and still a user's page for GET. `taken[i]`: segment i was matched by a parameter.
  const entry* search(verb method, const std::vector<std::string>& segments, std::size_t at,
                      std::vector<bool>& taken, std::vector<verb>& allowed) const {
    if (at == segments.size()) {
      for (const auto& e : entries) {
        if (e.target->method == method)
          return &e;
        allowed.push_back(e.target->method);
      }
      return nullptr;
    }
    for (const auto& [text, next] : literals)
      if (text == segments[at])
        if (auto* hit = next->search(method, segments, at + 1, taken, allowed))
          return hit;
    if (parameter && !segments[at].empty()) {
      taken[at] = true;
      if (auto* hit = parameter->search(method, segments, at + 1, taken, allowed))
        return hit;
      taken[at] = false;
    }
    return nullptr;
  }
};

router::router() : root_(std::make_unique<node>()) {}
router::~router() = default;
router::router(router&&) noexcept = default;
router& router::operator=(router&&) noexcept = default;

void router::add(route entry) {
  routes_.push_back(std::make_unique<route>(std::move(entry)));
  const auto& added = *routes_.back();
  node* at = root_.get();
  std::vector<std::string> names;
  for (auto segment : split(added.pattern)) {
    at = &at->child(segment);
    if (is_parameter(segment))
      names.emplace_back(segment.substr(1, segment.size() - 2));
  }
  for (const auto& e : at->entries)
    if (e.target->method == added.method)
      throw std::logic_error("two routes for " + added.pattern);
  at->entries.push_back({&added, std::move(names)});
}

route_match router::find(verb method, std::string_view path) const {
  route_match match;
  std::vector<std::string> segments;
  for (auto raw : split(path)) {
    auto text = decode(raw);
    if (!text) {
      match.malformed = true;
      return match;
    }
    segments.push_back(std::move(*text));
  }
  std::vector<bool> taken(segments.size());
  auto* hit =
    root_->search(method == verb::head ? verb::get : method, segments, 0, taken, match.allowed);
  if (hit == nullptr)
    return match;
  match.found = hit->target;
  match.allowed.clear();
  auto name = hit->names.begin();
  for (std::size_t i = 0; i < segments.size(); ++i)
    if (taken[i])
      match.parameters.push_back({*name++, std::move(segments[i])});
  return match;
}

std::vector<const route*> router::table() const {
  std::vector<const route*> rows;
  for (const auto& r : routes_)
    rows.push_back(r.get());
  return rows;
}

} // namespace signalbox::http
