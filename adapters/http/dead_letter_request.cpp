#include "adapters/http/dead_letter_request.hpp"

#include "adapters/http/identifiers.hpp"
#include "adapters/http/json_reader.hpp"
#include "messages/app_name.hpp"

#include <array>
#include <optional>
#include <string>

namespace signalbox::http {

namespace {

constexpr std::array<std::string_view, 6> names{"app",    "job",       "lane",
                                                "reason", "reference", "dry_run"};

/// Takes one member of a filter; answers what is wrong with it.
std::optional<std::string> take(std::string_view name, std::string_view text,
                                dead_letter_filter& filter) {
  if (name == "app") {
    const auto app = find_app(text);
    if (!app)
      return "there is no app of this name";
    filter.app = *app;
    return std::nullopt;
  }
  if (name == "job") {
    filter.job = uuid::parse(text);
    return filter.job ? std::nullopt : std::optional<std::string>{"is not the id of a job"};
  }
  if (name == "reference") {
    filter.reference = text;
    return check_reference(text);
  }
  // A lane may be gone from the settings while its letters are still there.
  (name == "lane" ? filter.lane : filter.reason) = text;
  return check_identifier(text);
}

} // namespace

dead_letter_query read_dead_letter_query(const query_reader& query,
                                         std::vector<field_error>& errors) {
  dead_letter_query out;
  for (const auto name : filter_names) {
    const auto text = query.get(name);
    if (!text)
      continue;
    out.filtered = out.filtered || name != "app";
    if (auto detail = take(name, *text, out.filter))
      errors.push_back({std::string{name}, std::move(*detail)});
  }
  return out;
}

replay_body read_replay_body(std::string_view text, std::vector<field_error>& errors) {
  replay_body out;
  json_reader in{errors};
  in.body(text, names, [&](std::size_t which, json_value value, json_place place) {
    if (names[which] == "dry_run") {
      out.dry_run = in.boolean(value, place).value_or(false);
    } else if (const auto given = in.text(value, place)) {
      if (auto detail = take(names[which], *given, out.filter))
        in.error(place, std::move(*detail));
    }
  });
  return out;
}

} // namespace signalbox::http
