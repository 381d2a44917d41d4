#include "adapters/http/id_body.hpp"

#include "adapters/http/identifiers.hpp"
#include "adapters/http/json_reader.hpp"

#include <array>
#include <span>

namespace signalbox::http {

namespace {

constexpr std::array<std::string_view, 2> names{"id", "name"};
constexpr std::size_t max_name = 256;

} // namespace

id_body read_id_body(std::string_view text, std::vector<field_error>& errors, id_body_form form) {
  id_body out;
  json_reader in{errors};
  bool has_id = false;
  std::span<const std::string_view> known{names.data(), form == id_body_form::with_name ? 2u : 1u};
  const bool is_object =
    in.body(text, known, [&](std::size_t which, json_value value, json_place place) {
      auto given = in.text(value, place);
      has_id = has_id || which == 0;
      if (!given)
        return;
      if (which == 0) {
        out.id = *given;
        if (auto detail = check_identifier(*given))
          in.error(place, *detail);
      } else {
        out.name = *given;
        if (given->size() > max_name)
          in.error(place, "must have at most 256 bytes");
      }
    });
  if (is_object && !has_id)
    in.error(json_place{}.member("id"), "is needed");
  return out;
}

} // namespace signalbox::http
