#pragma once

#include <boost/json/object.hpp>

#include <optional>
#include <string_view>

namespace signalbox {

// What is read of the JSON that Google writes: answers and service accounts. All pure.

/// Nothing when the text is no JSON object.
std::optional<boost::json::object> parse_json_object(std::string_view text);

/// A text member, or nothing.
std::string_view text_of(const boost::json::object& from, std::string_view name);

/// An object member, or null.
const boost::json::object* object_of(const boost::json::object& from, std::string_view name);

} // namespace signalbox
