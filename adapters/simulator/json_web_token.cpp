#include "adapters/simulator/json_web_token.hpp"

#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>

#include <cmath>
#include <cstdint>
#include <utility>

namespace signalbox::sim {

namespace json = boost::json;

namespace {

// Whole seconds up to here are exact in a double, by far.
constexpr double latest_s = 1e12;

std::optional<std::string> decode_base64url(std::string_view text) {
  constexpr auto value_of = [](char c) -> int {
    if (c >= 'A' && c <= 'Z')
      return c - 'A';
    if (c >= 'a' && c <= 'z')
      return c - 'a' + 26;
    if (c >= '0' && c <= '9')
      return c - '0' + 52;
    return c == '-' ? 62 : c == '_' ? 63 : -1;
  };
  std::string bytes;
  std::uint32_t bits = 0;
  int count = 0;
  for (const char c : text) {
    const int value = value_of(c);
    if (value < 0)
      return {};
    bits = bits << 6 | static_cast<std::uint32_t>(value);
    count += 6;
    if (count >= 8) {
      count -= 8;
      bytes.push_back(static_cast<char>(bits >> count & 0xff));
    }
  }
  return bytes;
}

std::optional<json::object> parse_part(std::string_view part) {
  const auto text = decode_base64url(part);
  if (!text)
    return {};
  json::error_code error;
  auto value = json::parse(*text, error);
  if (error || !value.is_object())
    return {};
  return std::move(value.get_object());
}

} // namespace

bool json_web_token::has_text(const json::object& part, std::string_view name,
                              std::string_view expected) {
  const auto* value = part.if_contains(name);
  const auto* text = value == nullptr ? nullptr : value->if_string();
  return text != nullptr && std::string_view{text->data(), text->size()} == expected;
}

std::optional<std::int64_t> json_web_token::seconds(std::string_view name) const {
  const auto* value = claims.if_contains(name);
  if (value == nullptr || !value->is_number())
    return {};
  const auto number = value->to_number<double>();
  if (!(number > -latest_s && number < latest_s))
    return {};
  return static_cast<std::int64_t>(std::floor(number));
}

std::optional<json_web_token> parse_json_web_token(std::string_view text) {
  const auto first = text.find('.');
  const auto second = text.find('.', first == text.npos ? first : first + 1);
  if (second == text.npos)
    return {};
  auto header = parse_part(text.substr(0, first));
  auto claims = parse_part(text.substr(first + 1, second - first - 1));
  auto signature = decode_base64url(text.substr(second + 1));
  if (!header || !claims || !signature)
    return {};
  return json_web_token{std::move(*header), std::move(*claims), text.substr(0, second),
                        std::move(*signature)};
}

} // namespace signalbox::sim
