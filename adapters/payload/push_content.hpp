#pragma once

#include "messages/result.hpp"

#include <boost/json/object.hpp>

#include <string_view>

namespace signalbox {

/// What renderers of all providers need to read what a job carries: the JSON object in
/// `job_context::payload`. All pure.

/// Fails with errc::invalid when the payload is not what messages/job.hpp promises.
result<boost::json::object> parse_content(std::string_view payload);

bool is_silent(const boost::json::object& content);

/// Whether there is a member of this name that is true.
bool is_set(const boost::json::object& content, std::string_view name);

/// A text member, or nothing.
std::string_view text_of(const boost::json::object& content, std::string_view name);

/// An object member, or null.
const boost::json::object* object_of(const boost::json::object& content, std::string_view name);

/// Copies a member under a new name unless it is absent or null.
void copy_if_set(const boost::json::object& from, std::string_view name, boost::json::object& to,
                 std::string_view new_name);

/// RFC 7396, section 2: members of `patch` replace, null removes, objects are merged.
void merge_over(boost::json::object& target, const boost::json::object& patch);

} // namespace signalbox
