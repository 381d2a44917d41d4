#pragma once

#include "adapters/http/problem.hpp"
#include "messages/job.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace signalbox::http {

/// Where a push names its targets.
enum class audience_source {
  path, ///< a user or a topic of the path
  body, ///< `tokens` or `users`
};

/// A push body (SPEC 4) that has been checked.
struct push_body {
  std::string payload; ///< as new_job::payload
  job_options options;
  std::optional<timestamp> scheduled_at; ///< none when not in the future
  std::string lane = "push";
  std::string reference; ///< as new_job::reference
  bool dry_run = false;
  std::vector<inline_token> tokens; ///< each once, in the order of the request
  std::vector<std::string> users;   ///< each once, in the order of the request
};

/// Reads a push body. When `errors` is not empty afterwards, the result is not to be used. Pure.
push_body read_push_body(std::string_view text, audience_source source, timestamp now,
                         std::vector<field_error>& errors);

} // namespace signalbox::http
