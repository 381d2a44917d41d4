#pragma once

#include "messages/ids.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace signalbox::http {

/// Writes one JSON object, member by member, in the order of the calls.
class json_writer {
public:
  json_writer& add(std::string_view key, std::string_view text);
  json_writer& add(std::string_view key, const std::string& text) {
    return add(key, std::string_view{text});
  }
  json_writer& add(std::string_view key, const char* text) {
    return add(key, std::string_view{text});
  }
  json_writer& add(std::string_view key, std::int64_t number);
  json_writer& add(std::string_view key, bool flag);
  /// As RFC 3339; null when there is none.
  json_writer& add(std::string_view key, const std::optional<timestamp>& time);
  json_writer& add(std::string_view key, timestamp time);
  /// `json` must be JSON.
  json_writer& add_json(std::string_view key, std::string_view json);

  /// The object. Nothing may be added after it.
  std::string take();

private:
  std::string& member(std::string_view key);

  std::string out_ = "{";
};

} // namespace signalbox::http
