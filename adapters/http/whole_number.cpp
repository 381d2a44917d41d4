#include "adapters/http/whole_number.hpp"

#include <charconv>
#include <cmath>
#include <system_error>

namespace signalbox::http {

namespace {

constexpr double beyond_exact = 9'007'199'254'740'992.0; // 2^53

std::optional<std::int64_t> whole(double number) {
  // Also false for what is no number.
  if (std::abs(number) < beyond_exact && std::trunc(number) == number)
    return static_cast<std::int64_t>(number);
  return std::nullopt;
}

template <class Number>
std::optional<Number> parse(std::string_view text) {
  Number out{};
  const auto* const end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, out);
  return error == std::errc{} && stop == end ? std::optional{out} : std::nullopt;
}

} // namespace

std::optional<std::int64_t> whole_number(simdjson::dom::element value) {
  if (value.is<std::int64_t>())
    return value.get<std::int64_t>().value_unsafe();
  return value.is<double>() ? whole(value.get<double>().value_unsafe()) : std::nullopt;
}

std::optional<std::int64_t> whole_number(std::string_view text) {
  if (auto integer = parse<std::int64_t>(text))
    return integer;
  const auto number = parse<double>(text);
  return number ? whole(*number) : std::nullopt;
}

} // namespace signalbox::http
