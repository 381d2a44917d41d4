#include "runtime/config_file.hpp"

#include "adapters/io/text_file.hpp"

#include <algorithm>
#include <map>
#include <utility>

namespace signalbox {

namespace {

constexpr std::size_t max_depth = 16; // of groups and lists: readers of both recurse
constexpr std::size_t max_atom_length = 10;

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

bool is_alnum(char c) {
  return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

bool is_key_char(char c) {
  return is_alnum(c) || c == '-' || c == '_';
}

bool is_word_char(char c) {
  return static_cast<unsigned char>(c) > ' ' &&
         std::string_view{",;{}[]=\"'"}.find(c) == std::string_view::npos;
}

class scanner {
public:
  /// With `by_indentation`, a name that begins a line no deeper than the open group's own name
  /// ends that group: this finds where a brace is missing, but only guesses.
  scanner(std::string_view text, const std::string& source, bool by_indentation)
    : text_(text), source_(source), by_indentation_(by_indentation) {}

  config_file run() {
    members("", 0, 0);
    std::stable_sort(result_.errors.begin(), result_.errors.end(),
                     [](auto& x, auto& y) { return x.line < y.line; });
    return std::move(result_);
  }

  std::optional<config_value> run_value(std::string& why) {
    blanks();
    auto value = read_value("", 0);
    blanks();
    if (value && !at_end())
      fail(line_, "", "something follows the value");
    if (result_.errors.empty())
      return value;
    why = result_.errors.front().text;
    return std::nullopt;
  }

  std::size_t unclosed() const { return unclosed_; }

  std::size_t stray() const { return stray_; }

private:
  bool at_end() const { return pos_ == text_.size(); }

  char peek() const { return at_end() ? '\0' : text_[pos_]; }

  char take() {
    auto c = text_[pos_++];
    if (c == '\n') {
      ++line_;
      line_start_ = pos_;
    }
    return c;
  }

  void fail(std::size_t line, std::string key, std::string text) {
    result_.errors.push_back({source_, line, std::move(key), std::move(text)});
  }

  /// Spaces and tabs; a carriage return is reported once and then passes for a space.
  void blanks() {
    for (; peek() == ' ' || peek() == '\t' || (peek() == '\r' && !at_end()); take())
      if (peek() == '\r' && !std::exchange(carriage_return_, true))
        fail(line_, "", "the line ends with a carriage return (CRLF); lines end with LF only");
  }

  void comment() {
    while (!at_end() && peek() != '\n') {
      if (peek() == '\r')
        blanks();
      else
        take();
    }
  }

  void space() {
    for (;;) {
      blanks();
      if (peek() == ';')
        comment();
      else if (peek() == '\n')
        take();
      else
        return;
    }
  }

  std::string word(bool (*accept)(char)) {
    std::string result;
    while (!at_end() && accept(peek()))
      result += take();
    return result;
  }

  void skip_value() {
    while (!at_end() && std::string_view{",;}\n"}.find(peek()) == std::string_view::npos)
      take();
  }

  bool first_of_line(std::size_t column) const {
    auto head = text_.substr(line_start_, column);
    return head.find_first_not_of(" \t") == std::string_view::npos;
  }

  /// The inside of a group (depth 0: the file) up to and with its closing brace.
  /// @returns whether the closing brace was found
  bool members(const std::string& path, std::size_t depth, std::size_t column) {
    auto opened = line_;
    for (;;) {
      space();
      if (at_end()) {
        if (depth > 0)
          unclosed(path, opened);
        return depth == 0;
      }
      auto here = pos_ - line_start_;
      auto c = peek();
      if (c == '}') {
        if (by_indentation_ && depth > 0 && line_ != opened && first_of_line(here) &&
            here < column) {
          unclosed(path, opened);
          return false;
        }
        take();
        if (depth > 0)
          return true;
        ++stray_;
        fail(line_, "", "a closing brace } without a group to close");
        separator(path, depth);
        continue;
      }
      if (is_key_char(c)) {
        if (by_indentation_ && depth > 0 && line_ != opened && first_of_line(here) &&
            here <= column) {
          unclosed(path, opened);
          return false;
        }
        member(path, depth, here);
        continue;
      }
      refuse(c, path);
    }
  }

  void unclosed(const std::string& path, std::size_t opened) {
    ++unclosed_;
    fail(opened, path, "this group is never closed: a closing brace } is missing");
  }

  void refuse(char c, const std::string& path) {
    if (c == '#' || c == '/') {
      fail(line_, path, "comments begin with a semicolon ;");
      comment();
    } else if (c == '[') {
      fail(line_, path, "section headers are not supported; write group { key = value }");
      comment();
    } else if (c == ',') {
      fail(line_, path, "a comma without a setting before it");
      take();
    } else {
      auto shown = c > ' ' && c < '\x7f' ? "`" + std::string{c} + "`" : "an unprintable character";
      fail(line_, path, "expected the name of a setting or a group, found " + shown);
      comment();
    }
  }

  std::string key() {
    auto result = word(is_key_char);
    if (!is_alnum(result.front()))
      fail(line_, result, "a name begins with a letter or a digit");
    if (peek() != '.')
      return result;
    while (peek() == '.' || is_key_char(peek()))
      result += take();
    std::string nested{result};
    for (auto dot = nested.find('.'); dot != std::string::npos; dot = nested.find('.'))
      nested.replace(dot, 1, " { ");
    fail(line_, result,
         "names have no dots; write the groups inside each other: " + nested + " ...");
    return result;
  }

  void member(const std::string& path, std::size_t depth, std::size_t column) {
    auto line = line_;
    auto full = path.empty() ? key() : path + "." + key();
    blanks();
    auto assigned = peek() == '=';
    if (assigned) {
      take();
      blanks();
    }
    if (peek() == '\n' && !assigned && brace_on_next_line())
      fail(line, full, "the opening brace { stands on the line of its group's name");
    if (peek() == '{') {
      take();
      group(full, depth, column, line);
    } else if (!assigned) {
      fail(line, full, "expected = and a value, or { and a group");
      skip_value();
    } else if (peek() == '\n' || peek() == ';' || peek() == ',' || peek() == '}' || at_end()) {
      fail(line, full, "the value is missing");
    } else if (auto value = read_value(full, depth)) {
      if (first(full, line))
        result_.entries.push_back({full, std::move(*value), line});
    } else {
      skip_value();
    }
    separator(full, depth);
  }

  bool brace_on_next_line() {
    auto next = text_.find_first_not_of(" \t\r\n", pos_);
    if (next == std::string_view::npos || text_[next] != '{')
      return false;
    while (pos_ != next)
      take();
    return true;
  }

  void group(const std::string& path, std::size_t depth, std::size_t column, std::size_t line) {
    if (first(path, line))
      result_.groups.push_back({path, line});
    if (depth == max_depth) {
      fail(line, path, "groups are nested too deeply");
      pos_ = text_.size();
      return;
    }
    closed_ = members(path, depth + 1, column);
  }

  bool first(const std::string& path, std::size_t line) {
    auto [known, added] = seen_.emplace(path, line);
    if (!added)
      fail(line, path, "repeated; it stands on line " + std::to_string(known->second) + " already");
    return added;
  }

  /// What must stand between two members of a group.
  void separator(const std::string& path, std::size_t depth) {
    if (!std::exchange(closed_, true))
      return;
    blanks();
    if (peek() == ';')
      comment();
    if (at_end() || peek() == '}')
      return;
    if (peek() == '\n') {
      take();
      space();
      if (depth == 0 || peek() != ',')
        return;
    }
    if (peek() == ',') {
      if (depth == 0)
        fail(line_, path,
             "outside of groups, settings stand on lines of their own, without commas");
      take();
      return;
    }
    if (peek() == '#' || peek() == '/') {
      refuse(peek(), path);
      return;
    }
    fail(line_, path, "a new line or a comma is missing after this");
    if (!is_key_char(peek()))
      skip_value();
  }

  std::optional<config_value> read_value(const std::string& path, std::size_t depth) {
    auto line = line_;
    auto c = peek();
    if (c == '"')
      return read_string(path);
    if (c == '\'')
      return read_atom(path);
    if (c == '[')
      return read_list(path, depth);
    if (c == '{' || c == '<') {
      fail(line, path, c == '{' ? "a group cannot stand here" : "URIs stand in double quotes");
      return std::nullopt;
    }
    auto text = word(is_word_char);
    std::string why;
    if (text.empty())
      why = "expected a value";
    else if (auto value = parse_config_word(text, why))
      return value;
    fail(line, path, why);
    return std::nullopt;
  }

  std::optional<config_value> read_string(const std::string& path) {
    auto valid = true;
    std::string result;
    take();
    while (peek() != '"') {
      if (at_end() || peek() == '\n') {
        fail(line_, path, "the string has no closing double quote on its line");
        return std::nullopt;
      }
      auto c = take();
      if (c == '\\' && !at_end() && peek() != '\n') {
        constexpr std::string_view names = "nrt\\\"";
        auto escape = names.find(take());
        if (escape != std::string_view::npos) {
          result += "\n\r\t\\\""[escape];
          continue;
        }
        fail(line_, path, "unknown escape in a string; there are \\n \\r \\t \\\\ and \\\"");
        valid = false;
      } else if (static_cast<unsigned char>(c) < ' ' && c != '\t') {
        fail(line_, path, "a control character in a string");
        valid = false;
      }
      result += c;
    }
    take();
    return valid ? std::optional{config_value{std::move(result)}} : std::nullopt;
  }

  std::optional<config_value> read_atom(const std::string& path) {
    take();
    auto name = word([](char c) { return is_alnum(c) || c == '_' || c == ' '; });
    if (peek() == '\'') {
      take();
      if (name.size() <= max_atom_length)
        return config_value{config_atom{std::move(name)}};
    }
    fail(line_, path,
         "not an atom (at most 10 letters, digits or _); strings stand in double quotes");
    return std::nullopt;
  }

  std::optional<config_value> read_list(const std::string& path, std::size_t depth) {
    auto opened = line_;
    if (depth == max_depth) {
      fail(opened, path, "lists are nested too deeply");
      pos_ = text_.size();
      return std::nullopt;
    }
    take();
    config_value::list result;
    for (;;) {
      space();
      if (peek() == ']')
        break;
      auto value = at_end() ? std::nullopt : read_value(path, depth + 1);
      if (!value) {
        if (at_end())
          fail(opened, path, "this list is never closed: a closing bracket ] is missing");
        return std::nullopt;
      }
      result.push_back(std::move(*value));
      space();
      if (peek() == ']')
        break;
      if (peek() != ',' && !at_end()) {
        fail(line_, path,
             "expected , or ] in the list that begins on line " + std::to_string(opened));
        return std::nullopt;
      }
      if (!at_end())
        take();
    }
    take();
    return config_value{std::move(result)};
  }

  std::string_view text_;
  std::string source_;
  bool by_indentation_;
  std::size_t pos_ = 0;
  std::size_t line_ = 1;
  std::size_t line_start_ = 0;
  std::size_t unclosed_ = 0;
  std::size_t stray_ = 0;
  bool carriage_return_ = false;
  bool closed_ = true;
  std::map<std::string, std::size_t> seen_;
  config_file result_;
};

} // namespace

std::string to_string(const config_error& error) {
  auto result = error.source;
  if (error.line > 0)
    result += ":" + std::to_string(error.line);
  if (!error.key.empty())
    result += ": " + error.key;
  return result + ": " + error.text;
}

config_file scan_config(std::string_view text, const std::string& source) {
  text = without_byte_order_mark(text);
  scanner plain{text, source, false};
  auto result = plain.run();
  if (plain.unclosed() == 0)
    return result;
  // Without the brace, all that follows seems to be inside; say so only once where possible.
  scanner guess{text, source, true};
  auto better = guess.run();
  if (guess.unclosed() == plain.unclosed() && guess.stray() == plain.stray())
    return better;
  return result;
}

std::optional<config_value> scan_config_value(std::string_view text, std::string& why) {
  return scanner{text, "", false}.run_value(why);
}

} // namespace signalbox
