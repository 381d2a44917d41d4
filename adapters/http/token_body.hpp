#pragma once

#include "actors/ports/activity_directory.hpp"
#include "actors/ports/directory.hpp"
#include "adapters/http/json_reader.hpp"
#include "adapters/http/refusal_list.hpp"
#include "messages/job.hpp"

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace signalbox::http {

/// `{platform, token, environment?}`.
std::optional<inline_token> read_inline_token(json_value value, const json_place& place,
                                              json_reader& in);

/// Whether a registration may subscribe its user to topics as well.
enum class registration_form { single, with_topics };

/// `{id?, platform, token, environment?, topics?}`, where `id` is the user's.
std::optional<token_registration> read_registration(json_value value, const json_place& place,
                                                    json_reader& in, registration_form form);

/// `{userId, topicId?, activityId?, platform, tokenType, token, environment?, expiresAt?}`. The
/// result counts only if `in` has seen no error.
std::optional<activity_token_registration> read_activity_registration(json_value value,
                                                                      const json_place& place,
                                                                      timestamp now,
                                                                      json_reader& in);

struct activity_token_name {
  std::string user;
  std::string token; ///< in its stored form
};

/// `{userId, token}`. The result counts only if `in` has seen no error.
std::optional<activity_token_name>
read_activity_token_name(json_value value, const json_place& place, json_reader& in);

/// The good entries of a `tokens:batch`, and what is wrong with the others.
struct token_batch {
  std::vector<token_registration> tokens;
  refusal_list refusals; ///< each refused entry's first error
};

/// Reads the body of a `tokens:batch`. A bad entry is refused by itself; `errors` tells that the
/// body as a whole is not acceptable. Pure.
token_batch read_token_batch(std::string_view text, std::vector<field_error>& errors);

} // namespace signalbox::http
