#include "adapters/http/identifiers.hpp"

#include <simdjson.h>

#include <algorithm>

namespace signalbox::http {

namespace {

constexpr std::size_t max_identifier = 256;
constexpr std::size_t max_reference = 128;
constexpr std::size_t max_token = 4096;

/// C0, DEL and, in UTF-8, C1.
bool has_control(std::string_view text) {
  for (std::size_t i = 0; i < text.size(); ++i) {
    auto c = static_cast<unsigned char>(text[i]);
    if (c < 0x20 || c == 0x7F)
      return true;
    if (c == 0xC2 && i + 1 < text.size() && static_cast<unsigned char>(text[i + 1]) < 0xA0)
      return true;
  }
  return false;
}

bool is_hex(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

std::optional<std::string> check_name(std::string_view text, std::size_t most) {
  if (text.empty())
    return "must not be empty";
  if (text.size() > most)
    return "must have at most " + std::to_string(most) + " bytes";
  if (!simdjson::validate_utf8(text.data(), text.size()))
    return "must be UTF-8";
  if (has_control(text))
    return "must not contain control characters";
  return std::nullopt;
}

} // namespace

std::optional<std::string> check_identifier(std::string_view text) {
  return check_name(text, max_identifier);
}

std::optional<std::string> check_reference(std::string_view text) {
  return check_name(text, max_reference);
}

std::optional<std::string> check_token(platform provider, std::string_view token) {
  if (token.empty())
    return "must not be empty";
  if (token.size() > max_token)
    return "must have at most 4096 bytes";
  if (provider == platform::apns) {
    if (token.size() % 2 != 0 || !std::all_of(token.begin(), token.end(), is_hex))
      return "must be an even number of hexadecimal digits";
  } else if (!std::all_of(token.begin(), token.end(), [](char c) { return c > ' ' && c < 0x7F; })) {
    return "must be visible ASCII characters";
  }
  return std::nullopt;
}

std::string canonical_token(platform provider, std::string_view token) {
  std::string text{token};
  if (provider == platform::apns)
    for (auto& c : text)
      if (c >= 'A' && c <= 'F')
        c = static_cast<char>(c - 'A' + 'a');
  return text;
}

std::string canonical_token(std::string_view token) {
  auto provider = check_token(platform::apns, token) ? platform::fcm : platform::apns;
  return canonical_token(provider, token);
}

} // namespace signalbox::http
