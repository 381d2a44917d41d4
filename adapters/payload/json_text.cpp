#include "adapters/payload/json_text.hpp"

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/string.hpp>
#include <boost/json/value.hpp>

#include <algorithm>
#include <array>

namespace signalbox {

namespace json = boost::json;

namespace {

constexpr auto npos = std::string_view::npos;

/// Characters to look for. std::string_view's own searches call memchr for each character of the
/// text, which was most of what rendering a push cost.
class char_set {
public:
  constexpr explicit char_set(std::string_view all) {
    for (const char c : all)
      holds_[static_cast<unsigned char>(c)] = true;
  }
  constexpr bool holds(char c) const { return holds_[static_cast<unsigned char>(c)]; }

  std::size_t first_in(std::string_view text, std::size_t from) const {
    while (from < text.size() && !holds(text[from]))
      ++from;
    return from < text.size() ? from : npos;
  }

private:
  std::array<bool, 256> holds_{};
};

constexpr char_set white{" \t\r\n"};
constexpr char_set end_of_scalar{",]} \t\r\n"};
constexpr char_set quote{"\""};
constexpr char_set in_strings{"\"\\"};
constexpr char_set in_containers{"\"{}[]"};
constexpr char_set begins_string_or_number{"\"-0123456789"};
// What a 64 bit integer and an ordinary double need no more than.
constexpr std::size_t tame_digits = 18;

void skip_white(std::string_view& rest) {
  while (!rest.empty() && white.holds(rest.front()))
    rest.remove_prefix(1);
}

/// Where the string that begins at `from` ends; npos when it does not.
std::size_t end_of_string(std::string_view text, std::size_t from) {
  for (auto at = from + 1; (at = in_strings.first_in(text, at)) != npos;) {
    if (text[at] == '"')
      return at + 1;
    at += 2;
  }
  return npos;
}

std::size_t end_of_container(std::string_view text) {
  std::size_t depth = 0;
  for (std::size_t at = 0; (at = in_containers.first_in(text, at)) != npos;) {
    if (text[at] == '"') {
      at = end_of_string(text, at);
      continue;
    }
    const bool opens = text[at] == '{' || text[at] == '[';
    depth = opens ? depth + 1 : depth - 1;
    ++at;
    if (depth == 0)
      return at;
  }
  return npos;
}

/// Where the value that `text` begins with ends; npos when there is none.
std::size_t end_of_value(std::string_view text) {
  if (text.empty())
    return npos;
  if (text.front() == '"')
    return end_of_string(text, 0);
  if (text.front() == '{' || text.front() == '[')
    return end_of_container(text);
  const auto end = end_of_scalar.first_in(text, 0);
  return end == 0 ? npos : std::min(end, text.size());
}

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

/// RFC 8259, section 6.
bool is_number(std::string_view text) {
  const auto digits = [&] {
    const auto end = std::find_if_not(text.begin(), text.end(), is_digit);
    const auto count = static_cast<std::size_t>(end - text.begin());
    text.remove_prefix(count);
    return count;
  };
  if (text.starts_with('-'))
    text.remove_prefix(1);
  const bool zero = text.starts_with('0');
  const auto whole = digits();
  if (whole == 0 || (zero && whole > 1))
    return false;
  if (text.starts_with('.')) {
    text.remove_prefix(1);
    if (digits() == 0)
      return false;
  }
  if (text.starts_with('e') || text.starts_with('E')) {
    text.remove_prefix(1);
    if (text.starts_with('+') || text.starts_with('-'))
      text.remove_prefix(1);
    if (digits() == 0)
      return false;
  }
  return text.empty();
}

bool needs_escape(char c) {
  return static_cast<unsigned char>(c) < 0x20 || c == '"' || c == '\\' || c == 0x7F;
}

bool is_tame(std::string_view number) {
  return number.size() <= tame_digits && number.find_first_of("eE") == npos;
}

} // namespace

json_members::json_members(std::string_view object) : rest_{object} {
  skip_white(rest_);
  if (rest_.starts_with('{'))
    rest_.remove_prefix(1);
  else
    rest_ = {};
}

bool json_members::next(json_member& out) {
  skip_white(rest_);
  if (rest_.starts_with('}')) {
    rest_.remove_prefix(1);
    skip_white(rest_);
    is_whole_ = rest_.empty();
    rest_ = {};
    return false;
  }
  if (!is_first_ && rest_.starts_with(',')) {
    rest_.remove_prefix(1);
    skip_white(rest_);
  } else if (!is_first_) {
    rest_ = {};
  }
  is_first_ = false;
  const auto take = [this] {
    const auto end = end_of_value(rest_);
    const auto taken = end == npos ? std::string_view{} : rest_.substr(0, end);
    rest_ = end == npos ? std::string_view{} : rest_.substr(end);
    skip_white(rest_);
    return taken;
  };
  out.name = rest_.starts_with('"') ? take() : std::string_view{};
  if (out.name.empty() || !rest_.starts_with(':')) {
    rest_ = {};
    return false;
  }
  rest_.remove_prefix(1);
  skip_white(rest_);
  out.value = take();
  return !out.value.empty();
}

std::string_view json_member_at(std::string_view object, std::size_t position) {
  json_members members{object};
  json_member member;
  for (std::size_t i = 0; members.next(member); ++i)
    if (i == position)
      return member.value;
  return {};
}

bool quotes_any(std::string_view text, std::span<const std::string_view> beginnings) {
  for (std::size_t at = 0; (at = quote.first_in(text, at)) != npos;) {
    const auto quoted = text.substr(++at);
    if (std::any_of(beginnings.begin(), beginnings.end(),
                    [&](auto one) { return quoted.starts_with(one); }))
      return true;
  }
  return false;
}

std::optional<std::string> read_json_string(std::string_view value) {
  if (value.size() < 2 || value.front() != '"' || value.back() != '"')
    return std::nullopt;
  if (value.find('\\') == npos)
    return std::string{value.substr(1, value.size() - 2)};
  boost::system::error_code error;
  const auto read = json::parse(value, error);
  if (error || !read.is_string())
    return std::nullopt;
  return std::string{std::string_view{read.get_string()}};
}

std::string write_json_string(std::string_view text) {
  // Names are almost always plain, and a serializer costs more than all else of a small draft.
  if (std::none_of(text.begin(), text.end(), needs_escape)) {
    std::string out;
    out.reserve(text.size() + 2);
    return ((out += '"') += text) += '"';
  }
  return json::serialize(json::string{text});
}

std::string with_tame_numbers(std::string_view text) {
  constexpr std::string_view stand_in = "1.5";
  std::string out{text};
  for (std::size_t at = 0; (at = begins_string_or_number.first_in(text, at)) != npos;) {
    if (text[at] == '"') {
      at = end_of_string(text, at);
      continue;
    }
    const auto end = std::min(end_of_scalar.first_in(text, at), text.size());
    const auto token = text.substr(at, end - at);
    if (!is_tame(token) && is_number(token)) {
      std::fill(out.begin() + static_cast<std::ptrdiff_t>(at),
                out.begin() + static_cast<std::ptrdiff_t>(end), ' ');
      out.replace(at, stand_in.size(), stand_in);
    }
    at = end;
  }
  return out;
}

} // namespace signalbox
