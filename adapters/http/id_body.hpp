#pragma once

#include "adapters/http/problem.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace signalbox::http {

enum class id_body_form { id_only, with_name };

/// `{id}` of a new user, or `{id, name?}` of a new topic.
struct id_body {
  std::string id;
  std::optional<std::string> name;
};

/// When `errors` is not empty afterwards, the result is not to be used. Pure.
id_body read_id_body(std::string_view text, std::vector<field_error>& errors,
                     id_body_form form = id_body_form::id_only);

} // namespace signalbox::http
