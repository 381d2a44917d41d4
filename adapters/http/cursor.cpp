#include "adapters/http/cursor.hpp"

#include <cstddef>
#include <cstdint>

namespace signalbox::http {

namespace {

constexpr std::string_view alphabet =
  "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

constexpr std::size_t check_size = 8;

/// FNV-1a over the query and the key, so that cursors stay good over restarts and on every node.
std::string check_of(std::string_view query, std::string_view key) {
  std::uint64_t hash = 0xcbf29ce484222325ULL;
  auto mix = [&](std::string_view text) {
    for (unsigned char c : text)
      hash = (hash ^ c) * 0x100000001b3ULL;
    hash = (hash ^ 0xFF) * 0x100000001b3ULL;
  };
  mix(query);
  mix(key);
  std::string out;
  for (std::size_t i = 0; i < check_size; ++i)
    out += static_cast<char>(hash >> (8 * i));
  return out;
}

std::string encode(std::string_view bytes) {
  std::string out;
  std::uint32_t bits = 0;
  int count = 0;
  for (unsigned char c : bytes) {
    bits = bits << 8 | c;
    for (count += 8; count >= 6; count -= 6)
      out += alphabet[bits >> (count - 6) & 63];
  }
  if (count > 0)
    out += alphabet[bits << (6 - count) & 63];
  return out;
}

std::optional<std::string> decode(std::string_view text) {
  std::string out;
  std::uint32_t bits = 0;
  int count = 0;
  for (char c : text) {
    auto place = alphabet.find(c);
    if (place == alphabet.npos)
      return std::nullopt;
    bits = bits << 6 | static_cast<std::uint32_t>(place);
    count += 6;
    if (count >= 8) {
      count -= 8;
      out += static_cast<char>(bits >> count);
    }
  }
  return out;
}

} // namespace

std::string make_cursor(std::string_view key, std::string_view query) {
  return encode(check_of(query, key).append(key));
}

std::optional<std::string> open_cursor(std::string_view cursor, std::string_view query) {
  auto bytes = decode(cursor);
  if (!bytes || bytes->size() <= check_size)
    return std::nullopt;
  auto key = bytes->substr(check_size);
  if (bytes->substr(0, check_size) != check_of(query, key))
    return std::nullopt;
  return key;
}

} // namespace signalbox::http
