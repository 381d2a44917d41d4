#include "adapters/http/json_reader.hpp"

#include "adapters/http/rfc3339.hpp"
#include "adapters/http/whole_number.hpp"
#include "adapters/payload/json_text.hpp"
#include "messages/json_pointer.hpp"

#include <algorithm>
#include <utility>

namespace signalbox::http {

namespace dom = simdjson::dom;

namespace {

constexpr std::size_t max_depth = 32;

/// A parser keeps about 13 times the size of its largest document, so a large document gets one of
/// its own.
constexpr std::size_t kept_capacity = 64 * 1024;

std::unique_ptr<dom::parser> make_parser(std::size_t capacity) {
  auto parser = std::make_unique<dom::parser>();
  if (parser->allocate(capacity, max_depth) != simdjson::SUCCESS)
    return nullptr;
  return parser;
}

std::string describe(simdjson::error_code code) {
  switch (code) {
  case simdjson::DEPTH_ERROR:
    return "is nested deeper than 32 levels";
  case simdjson::UTF8_ERROR:
    return "is not UTF-8";
  case simdjson::EMPTY:
    return "is empty, but JSON is needed";
  case simdjson::NUMBER_ERROR:
    return "has a number that is malformed";
  case simdjson::MEMALLOC:
  case simdjson::CAPACITY:
    return "is too large";
  default:
    return std::string{"is not JSON: "} + simdjson::error_message(code);
  }
}

} // namespace

std::string_view without_byte_order_mark(std::string_view text) {
  constexpr std::string_view mark = "\xEF\xBB\xBF";
  return text.substr(text.substr(0, mark.size()) == mark ? mark.size() : 0);
}

json_document::json_document(std::string_view text) {
  text = without_byte_order_mark(text);
  thread_local auto shared = make_parser(kept_capacity);
  if (text.size() > kept_capacity)
    own_ = make_parser(text.size());
  auto* parser = text.size() > kept_capacity ? own_.get() : shared.get();
  if (parser == nullptr) {
    problem_ = describe(simdjson::MEMALLOC);
    return;
  }
  auto code = parser->parse(text.data(), text.size()).get(root_);
  if (code == simdjson::NUMBER_ERROR) {
    const auto tame = with_tame_numbers(text);
    code = parser->parse(tame.data(), tame.size()).get(root_);
  }
  if (code != simdjson::SUCCESS)
    problem_ = describe(code);
}

std::string json_place::pointer() const {
  if (parent == nullptr)
    return {};
  auto out = parent->pointer();
  if (out.size() < max_echo)
    out += key.data() == nullptr ? '/' + std::to_string(index)
                                 : json_pointer_step(key.substr(0, max_echo));
  return out;
}

void json_reader::error(const json_place& place, std::string detail) {
  if (errors_.size() < max_errors)
    errors_.push_back({place.pointer(), std::move(detail)});
}

std::optional<std::string_view> json_reader::text(json_value value, const json_place& place) {
  std::string_view out;
  if (value.get(out) == simdjson::SUCCESS)
    return out;
  error(place, "must be a string");
  return std::nullopt;
}

std::optional<bool> json_reader::boolean(json_value value, const json_place& place) {
  bool out = false;
  if (value.get(out) == simdjson::SUCCESS)
    return out;
  error(place, "must be true or false");
  return std::nullopt;
}

std::optional<std::int64_t> json_reader::integer(json_value value, const json_place& place,
                                                 std::int64_t min, std::int64_t max) {
  if (const auto out = whole_number(value); out && *out >= min && *out <= max)
    return out;
  error(place, "must be an integer from " + std::to_string(min) + " to " + std::to_string(max));
  return std::nullopt;
}

std::optional<timestamp> json_reader::time(json_value value, const json_place& place) {
  std::string_view text;
  if (value.get(text) == simdjson::SUCCESS)
    if (auto out = parse_rfc3339(text))
      return out;
  error(place, "must be an RFC 3339 time such as 2026-01-31T12:00:00Z");
  return std::nullopt;
}

std::optional<json_object_view> json_reader::object(json_value value, const json_place& place) {
  json_object_view out;
  if (value.get(out) == simdjson::SUCCESS)
    return out;
  error(place, "must be an object");
  return std::nullopt;
}

std::optional<std::size_t> json_reader::choice(json_value value, const json_place& place,
                                               std::initializer_list<std::string_view> names) {
  std::string_view text;
  if (value.get(text) == simdjson::SUCCESS) {
    auto it = std::find(names.begin(), names.end(), text);
    if (it != names.end())
      return static_cast<std::size_t>(it - names.begin());
  }
  std::string detail = "must be one of";
  for (auto name : names)
    detail.append(name == *names.begin() ? " " : ", ").append(name);
  error(place, std::move(detail));
  return std::nullopt;
}

std::optional<dom::array> json_reader::list(json_value value, const json_place& place,
                                            std::size_t max) {
  dom::array out;
  if (value.get(out) != simdjson::SUCCESS) {
    error(place, "must be an array");
    return std::nullopt;
  }
  // Counted by hand: size() saturates at 2^24.
  std::size_t count = 0;
  for ([[maybe_unused]] auto one : out)
    ++count;
  if (count >= 1 && count <= max)
    return out;
  error(place, "must have 1 to " + std::to_string(max) + " elements");
  return std::nullopt;
}

std::string json_reader::source(const json_place& place) const {
  const auto text = text_at(place);
  std::string out(text.size() + simdjson::SIMDJSON_PADDING, '\0');
  std::size_t length = 0;
  if (simdjson::minify(text.data(), text.size(), out.data(), length) != simdjson::SUCCESS)
    length = 0;
  out.resize(length);
  return out;
}

std::string_view json_reader::text_at(const json_place& place) const {
  return place.parent == nullptr ? text_ : json_member_at(text_at(*place.parent), place.index);
}

void json_reader::unique_members(json_value value, const json_place& place) {
  if (value.is_object()) {
    std::vector<std::string_view> names;
    for (auto [key, inner] : json_object_view{value}) {
      names.push_back(key);
      unique_members(inner, place.member(key));
    }
    std::sort(names.begin(), names.end());
    auto twice = std::adjacent_find(names.begin(), names.end());
    if (twice != names.end())
      error(place.member(*twice), "is given twice");
  } else if (value.is_array()) {
    std::size_t i = 0;
    for (auto inner : dom::array{value})
      unique_members(inner, place.element(i++));
  }
}

} // namespace signalbox::http
