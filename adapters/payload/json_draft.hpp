#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace signalbox {

/// A JSON object that is being put together from texts, which stay as they were written (see
/// json_text.hpp). Members keep the order in which they came.
class json_draft {
public:
  /// Adds a member, or replaces its value where it stands. `value` is JSON.
  json_draft& set(std::string_view name, std::string_view value);
  json_draft& set_text(std::string_view name, std::string_view text);
  /// Adds a member unless there is one of this name. `quoted` is its name as JSON.
  void add(std::string_view quoted, std::string_view value);
  void erase(std::string_view name);

  /// The object of this name, to be changed; made empty where there is none.
  json_draft& object(std::string_view name);

  /// RFC 7396, section 2, with an object as text: its members replace, null removes, objects are
  /// merged.
  void merge(std::string_view patch);

  bool empty() const { return count_ == 0; }
  bool contains(std::string_view name) const { return find(name) != nullptr; }
  /// A member's value as text; empty when there is none.
  std::string text_of(std::string_view name) const;

  void append_to(std::string& out) const;
  std::string text() const;

private:
  struct member {
    std::string name;
    std::string quoted;                 ///< the name as it is written; empty: erased
    std::string value;                  ///< unless there is an object
    std::unique_ptr<json_draft> object; ///< may be null
  };

  const member* find(std::string_view name) const;
  member& place(std::string_view name, std::string_view quoted);
  static json_draft& open(member& of);

  std::vector<member> members_;
  std::size_t count_ = 0; ///< without the erased ones
  /// By name, of a draft of so many that looking at each would cost: empty before that.
  std::unordered_map<std::string, std::size_t> places_;
};

} // namespace signalbox
