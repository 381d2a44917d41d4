#pragma once

#include "adapters/http/response.hpp"

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace signalbox::http {

/// What is wrong with one member of a request's body or with one query parameter.
struct field_error {
  std::string pointer; ///< JSON pointer (RFC 6901); for a query parameter its name
  std::string detail;  ///< one sentence for a human
};

/// Bytes of what a client sent that an answer repeats, in one place.
constexpr std::size_t max_echo = 512;
/// Errors that one answer lists; a further member `errors_omitted` counts the others.
constexpr std::size_t max_listed_errors = 100;

/// Appends `{"pointer": ..., "detail": ...}` without the closing brace, each text cut to
/// `max_echo`.
void append_error(std::string& out, const field_error& error);

/// `text` as a JSON string, quotes included. `text` need not be valid UTF-8: bytes that are not
/// are replaced by U+FFFD, so that an error about bad input is itself good JSON.
void append_json_string(std::string& out, std::string_view text);

/// An `application/problem+json` answer (RFC 9457). `errors` becomes its `errors` member. However
/// long the texts are, the answer has at most about 200 KiB.
response problem(unsigned status, std::string_view detail,
                 const std::vector<field_error>& errors = {});

/// A 503 that asks the client to come back after a second: what a full or stopping node says.
response unavailable(std::string_view detail);

/// A 400 that lists every field that is wrong.
response invalid_fields(const std::vector<field_error>& errors);

} // namespace signalbox::http
