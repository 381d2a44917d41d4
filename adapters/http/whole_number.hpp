#pragma once

#include <simdjson.h>

#include <cstdint>
#include <optional>
#include <string_view>

// Integers as JSON Schema means them (2020-12, 4.2.3 and 6.1.1): a number is one by its value, so
// 251.0 and 2.51e2 are the integer 251. Languages that have one type of number write them so. Where
// digits after the point can be written, an integer is one up to 2^53, which a double holds.

namespace signalbox::http {

/// Nothing where the value is no integer, or no number.
std::optional<std::int64_t> whole_number(simdjson::dom::element value);

/// The same of a whole text, such as a query parameter.
std::optional<std::int64_t> whole_number(std::string_view text);

} // namespace signalbox::http
