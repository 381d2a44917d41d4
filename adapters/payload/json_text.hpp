#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace signalbox {

// JSON as text, so that what a caller wrote stays as it was written: numbers of any size and
// precision, escapes, the order of members. The text has been found to be JSON before; with any
// other text a walk ends early, and never leaves it. All pure.

/// A member of an object, both as written.
struct json_member {
  std::string_view name; ///< with its quotes
  std::string_view value;
};

/// Walks the members of an object, which outlives the walk.
class json_members {
public:
  explicit json_members(std::string_view object);

  /// False after the last one.
  bool next(json_member& out);

  /// After the last one: the text was an object up to its end.
  bool is_whole() const { return is_whole_; }

private:
  std::string_view rest_;
  bool is_first_ = true;
  bool is_whole_ = false;
};

/// The value of the member at this position, from 0; empty when there is none.
std::string_view json_member_at(std::string_view object, std::size_t position);

/// Whether one of these follows a quote anywhere: tells without a parse, at the price of false
/// alarms from within texts, that no member of these names is there. Names are taken as they are
/// written.
bool quotes_any(std::string_view text, std::span<const std::string_view> beginnings);

/// What a string says; nothing when the text is no string.
std::optional<std::string> read_json_string(std::string_view value);

/// Writes a string, as short as it can be.
std::string write_json_string(std::string_view text);

/// A copy of the same length in which numbers that a parser may refuse for their size stand as 1.5,
/// followed by spaces: for checking all the rest of the text by its places.
std::string with_tame_numbers(std::string_view text);

} // namespace signalbox
