#pragma once

#include "adapters/http/problem.hpp"
#include "messages/job.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace signalbox::http {

/// The body of a request about a Live Activity (SPEC 4 and 6) that has been checked.
struct activity_body {
  activity_request request;
  job_scope scope;     ///< as new_job::activity says
  std::string payload; ///< as new_job::activity says
  job_options options; ///< a start gives up on unknown, unless the body says otherwise
  std::string lane = "live-activity";
  std::string reference; ///< as new_job::reference
};

/// Reads the body of a request about a Live Activity. When `errors` is not empty afterwards, the
/// result is not to be used. Pure.
activity_body read_activity_body(std::string_view text, timestamp now,
                                 std::vector<field_error>& errors);

} // namespace signalbox::http
