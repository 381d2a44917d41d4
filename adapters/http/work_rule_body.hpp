#pragma once

#include "actors/ports/job_control.hpp"
#include "adapters/http/problem.hpp"

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace signalbox::http {

enum class work_rule_form {
  pause,  ///< with `provider` and `environment`
  cancel, ///< with `created_before`
};

/// The body of a pause or of a bulk cancel: which work, and why.
struct work_rule_body {
  work_rule rule;
  std::string reason;
  std::optional<timestamp> created_before;
};

/// `knows_lane` says whether there is a lane of a name. A rule that names nothing, or that no job
/// can fit, is an error. When `errors` is not empty afterwards, the result is not to be used. Pure.
work_rule_body read_work_rule_body(std::string_view text, work_rule_form form,
                                   const std::function<bool(std::string_view)>& knows_lane,
                                   std::vector<field_error>& errors);

} // namespace signalbox::http
