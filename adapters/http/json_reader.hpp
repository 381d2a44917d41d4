#pragma once

#include "adapters/http/problem.hpp"
#include "messages/ids.hpp"

#include <simdjson.h>

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace signalbox::http {

using json_value = simdjson::dom::element;
using json_object_view = simdjson::dom::object;
using field_errors = std::vector<field_error>;

/// Editors and exports of some systems begin a text with this mark (U+FEFF), which says nothing.
std::string_view without_byte_order_mark(std::string_view text);

/// JSON as the API takes it: UTF-8, with or without a byte order mark, nested at most 32 deep,
/// numbers of any size (those that no double holds read as a number that is no integer). The values
/// of a document live until the next document of this thread is parsed, so one thread reads one at
/// a time.
class json_document {
public:
  explicit json_document(std::string_view text);

  /// Why the text is not acceptable; empty when it is.
  const std::string& problem() const { return problem_; }
  json_value root() const { return root_; }

private:
  std::unique_ptr<simdjson::dom::parser> own_;
  std::string problem_;
  json_value root_;
};

/// Where in a document a value is: built up only when there is an error to report, or its text is
/// wanted.
struct json_place {
  const json_place* parent = nullptr;
  std::string_view key{};
  std::size_t index = 0; ///< of an element, or of a member that json_reader::members has come to

  std::string pointer() const;
  json_place member(std::string_view name) const { return {this, name, 0}; }
  json_place element(std::size_t i) const { return {this, {}, i}; }
};

/// Reads the values of one document and collects what is wrong with them. A function that returns
/// nothing has added an error.
class json_reader {
public:
  /// `text` is that of the document, for `source`.
  explicit json_reader(field_errors& errors, std::string_view text = {})
    : errors_(errors), text_(without_byte_order_mark(text)) {}

  void error(const json_place& place, std::string detail);
  /// How many errors are kept; further ones are dropped.
  static constexpr std::size_t max_errors = 100;

  std::optional<std::string_view> text(json_value value, const json_place& place);
  std::optional<bool> boolean(json_value value, const json_place& place);
  std::optional<std::int64_t> integer(json_value value, const json_place& place, std::int64_t min,
                                      std::int64_t max);
  std::optional<timestamp> time(json_value value, const json_place& place);
  std::optional<json_object_view> object(json_value value, const json_place& place);
  /// One of `names`; answers its position.
  std::optional<std::size_t> choice(json_value value, const json_place& place,
                                    std::initializer_list<std::string_view> names);
  /// An array of 1 to `max` elements.
  std::optional<simdjson::dom::array> list(json_value value, const json_place& place,
                                           std::size_t max);

  /// Calls `member(position in names, value, place)` for each member that is not null, which is how
  /// many serialisers write one that is not given; members that are unknown or repeated are errors.
  /// At most 64 names.
  template <class Names, class F>
  void members(json_object_view from, const json_place& place, const Names& names, F&& member) {
    std::uint64_t seen = 0;
    std::size_t position = 0;
    for (auto [key, value] : from) {
      auto here = place.member(key);
      here.index = position++;
      std::size_t i = 0;
      while (i < names.size() && names[i] != key)
        ++i;
      if (i == names.size()) {
        error(here, "is not a known field");
      } else if (seen & (std::uint64_t{1} << i)) {
        error(here, "is given twice");
      } else {
        seen |= std::uint64_t{1} << i;
        if (!value.is_null())
          member(i, value, here);
      }
    }
  }

  /// Parses a text that must be an object, and calls `member` as `members` does. False when it is
  /// none.
  template <class Names, class F>
  bool body(std::string_view text, const Names& names, F&& member) {
    const json_document document{text};
    const json_place root;
    if (!document.problem().empty()) {
      error(root, document.problem());
      return false;
    }
    const auto found = object(document.root(), root);
    if (found)
      members(*found, root, names, std::forward<F>(member));
    return found.has_value();
  }

  /// The value as it is written in the document, without white space. `place` and those above it
  /// are of members that `members` has come to.
  std::string source(const json_place& place) const;

  /// Refuses repeated members anywhere inside `value`.
  void unique_members(json_value value, const json_place& place);

private:
  std::string_view text_at(const json_place& place) const;

  field_errors& errors_;
  std::string_view text_;
};

} // namespace signalbox::http
