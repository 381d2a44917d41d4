#include "runtime/setting_range.hpp"

#include "runtime/config_file.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <limits>

namespace signalbox {

namespace {

using std::chrono::milliseconds;

std::string quoted(std::string_view text) {
  std::string result = "\"";
  for (auto c : text) {
    constexpr std::string_view special = "\n\r\t\\\"";
    if (auto i = special.find(c); i != std::string_view::npos)
      result += {'\\', "nrt\\\""[i]};
    else
      result += c;
  }
  return result + "\"";
}

std::string duration_text(milliseconds value) {
  struct unit {
    std::int64_t milliseconds;
    std::string_view name;
  };
  constexpr std::array units{unit{3'600'000, "h"}, unit{60'000, "min"}, unit{1'000, "s"}};
  for (auto& [length, name] : units)
    if (value.count() != 0 && value.count() % length == 0)
      return std::to_string(value.count() / length) + std::string{name};
  return std::to_string(value.count()) + "ms";
}

std::string shown(const config_value& value) {
  if (auto* x = std::get_if<std::int64_t>(&value.data))
    return std::to_string(*x);
  if (auto* x = std::get_if<std::chrono::nanoseconds>(&value.data))
    return *x % milliseconds{1} == x->zero()
             ? duration_text(std::chrono::duration_cast<milliseconds>(*x))
             : std::to_string(x->count()) + "ns";
  if (auto* x = std::get_if<std::string>(&value.data))
    return quoted(*x);
  if (auto* x = std::get_if<config_atom>(&value.data))
    return "'" + x->name + "'; strings stand in double quotes";
  return std::string{kind_name(value)};
}

/// Reads "64KiB"; any other text is nothing.
std::optional<std::int64_t> read_size(std::string_view text) {
  struct unit {
    std::string_view name;
    int shift;
  };
  constexpr std::array units{unit{"KiB", 10}, unit{"MiB", 20}, unit{"GiB", 30}};
  std::int64_t number = 0;
  auto [stop, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{} || number < 0)
    return std::nullopt;
  auto rest = text.substr(static_cast<std::size_t>(stop - text.data()));
  for (auto& [name, shift] : units)
    if (rest == name && number <= std::numeric_limits<std::int64_t>::max() >> shift)
      return number << shift;
  return std::nullopt;
}

bool holds(const setting_range& range, std::int64_t number) {
  return range.min <= number && number <= range.max;
}

bool is_text(setting_kind kind) {
  return kind == setting_kind::string || kind == setting_kind::path || kind == setting_kind::choice;
}

std::optional<setting_value> check_string(const setting_range& range, const std::string& text,
                                          std::string& why) {
  if (range.kind == setting_kind::choice) {
    if (std::find(range.choices.begin(), range.choices.end(), text) != range.choices.end())
      return text;
  } else if (std::any_of(text.begin(), text.end(), [](unsigned char c) { return c < ' '; })) {
    why = "a control character cannot stand here";
    return std::nullopt;
  } else if (holds(range, static_cast<std::int64_t>(text.size()))) {
    return text;
  }
  why = "expected " + to_string(range) + ", found " + quoted(text);
  return std::nullopt;
}

/// The words between the commas; an empty text has none.
std::vector<std::string> split_names(std::string_view text) {
  std::vector<std::string> names;
  while (!text.empty()) {
    auto word = text.substr(0, text.find(','));
    text.remove_prefix(std::min(word.size() + 1, text.size()));
    word.remove_prefix(std::min(word.find_first_not_of(' '), word.size()));
    names.emplace_back(word.substr(0, word.find_last_not_of(' ') + 1));
  }
  return names;
}

std::optional<setting_value> check_names(const setting_range& range, std::vector<std::string> names,
                                         std::string& why) {
  constexpr std::size_t max_name = 253;
  for (const auto& name : names)
    if (name.empty() || name.size() > max_name ||
        std::any_of(name.begin(), name.end(), [](unsigned char c) { return c <= ' ' || c == ','; }))
      why = "expected " + to_string(range) + ", found " + quoted(name);
  if (!holds(range, static_cast<std::int64_t>(names.size())))
    why = "expected " + to_string(range) + ", found " + std::to_string(names.size());
  return why.empty() ? std::optional<setting_value>{std::move(names)} : std::nullopt;
}

std::optional<setting_value> check_duration(const setting_range& range, const config_value& value,
                                            std::string& why) {
  auto* duration = std::get_if<std::chrono::nanoseconds>(&value.data);
  if (duration != nullptr) {
    auto whole = std::chrono::duration_cast<milliseconds>(*duration);
    if (whole != *duration)
      why = "expected " + to_string(range) + " in whole milliseconds, found " + shown(value);
    else if (holds(range, whole.count()))
      return whole;
  }
  if (why.empty())
    why = "expected " + to_string(range) + ", found " + shown(value);
  if (std::holds_alternative<std::int64_t>(value.data))
    why += " without a unit (ns, us, ms, s, min or h)";
  return std::nullopt;
}

} // namespace

std::string to_string(const setting_range& range) {
  auto limits = [&](auto text) { return " from " + text(range.min) + " to " + text(range.max); };
  auto number = [](std::int64_t x) { return std::to_string(x); };
  switch (range.kind) {
  case setting_kind::integer:
    return "an integer" + limits(number);
  case setting_kind::bytes:
    return "a size" + limits(number) + " bytes";
  case setting_kind::duration:
    return "a duration" + limits([](std::int64_t x) { return duration_text(milliseconds{x}); });
  case setting_kind::choice: {
    std::string result;
    for (auto& choice : range.choices)
      result += (result.empty()                     ? ""
                 : &choice == &range.choices.back() ? " or "
                                                    : ", ") +
                quoted(choice);
    return result;
  }
  case setting_kind::names:
    return "a list of up to " + number(range.max) + " names of up to 253 bytes each";
  default: {
    std::string result = range.kind == setting_kind::path ? "a path" : "a string";
    return result + (range.min > 0 ? limits(number) : " of up to " + number(range.max)) + " bytes";
  }
  }
}

std::string to_config_text(const setting_value& value) {
  if (auto* number = std::get_if<std::int64_t>(&value))
    return std::to_string(*number);
  if (auto* duration = std::get_if<milliseconds>(&value))
    return duration_text(*duration);
  if (auto* names = std::get_if<std::vector<std::string>>(&value)) {
    std::string result;
    for (const auto& name : *names)
      result += (result.empty() ? "" : ", ") + quoted(name);
    return '[' + result + ']';
  }
  return quoted(std::get<std::string>(value));
}

std::optional<setting_value> check_value(const setting_range& range, const config_value& value,
                                         std::string& why) {
  why.clear();
  auto* text = std::get_if<std::string>(&value.data);
  if (is_text(range.kind) && text != nullptr)
    return check_string(range, *text, why);
  if (range.kind == setting_kind::names && text != nullptr)
    return check_names(range, split_names(*text), why);
  auto* list = std::get_if<config_value::list>(&value.data);
  auto is_string = [](const config_value& one) {
    return std::holds_alternative<std::string>(one.data);
  };
  if (range.kind == setting_kind::names && list != nullptr &&
      std::all_of(list->begin(), list->end(), is_string)) {
    std::vector<std::string> names;
    for (const auto& one : *list)
      names.push_back(std::get<std::string>(one.data));
    return check_names(range, std::move(names), why);
  }
  if (range.kind == setting_kind::duration)
    return check_duration(range, value, why);
  if (range.kind == setting_kind::integer || range.kind == setting_kind::bytes) {
    std::optional<std::int64_t> number;
    if (auto* integer = std::get_if<std::int64_t>(&value.data))
      number = *integer;
    else if (range.kind == setting_kind::bytes && text != nullptr)
      number = read_size(*text);
    if (number && holds(range, *number))
      return *number;
  }
  why = "expected " + to_string(range) + ", found " + shown(value);
  return std::nullopt;
}

std::optional<setting_value> check_text(const setting_range& range, std::string_view text,
                                        std::string& why) {
  if (is_text(range.kind))
    return check_string(range, std::string{text}, why);
  if (range.kind == setting_kind::names && text.substr(0, 1) != "[")
    return check_value(range, config_value{std::string{text}}, why);
  if (range.kind == setting_kind::bytes && read_size(text))
    return check_value(range, config_value{std::string{text}}, why);
  if (auto value = scan_config_value(text, why))
    return check_value(range, *value, why);
  why = "expected " + to_string(range) + ", found " + quoted(text);
  return std::nullopt;
}

} // namespace signalbox
