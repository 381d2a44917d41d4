#include "adapters/http/api.hpp"
#include "adapters/http/json_reader.hpp"
#include "adapters/http/json_writer.hpp"
#include "adapters/http/route_support.hpp"
#include "adapters/http/views.hpp"

#include <array>
#include <utility>
#include <vector>

namespace signalbox::http {

namespace {

constexpr std::array<std::string_view, 4> names{"lane", "provider", "environment", "kind"};

/// Which breakers a reset is about: all that fit every member given. A host that cannot be
/// connected to is none of them: only a connection mends that.
struct breaker_filter {
  std::optional<std::string> lane;
  std::optional<platform> provider;
  std::optional<environment> env;
  std::optional<breaker_kind> kind;

  bool fits(const breaker_place& place) const {
    return place.kind != breaker_kind::connection && (!lane || *lane == place.lane) &&
           (!provider || *provider == place.dest.provider) && (!env || *env == place.dest.env) &&
           (!kind || *kind == place.kind);
  }
};

breaker_filter read_filter(std::string_view text, const job_door& door, field_errors& errors) {
  breaker_filter out;
  json_reader in{errors};
  in.body(text, names, [&](std::size_t which, json_value value, json_place place) {
    switch (which) {
    case 0:
      if (const auto lane = in.text(value, place)) {
        out.lane = *lane;
        if (!door.knows(*lane))
          in.error(place, "there is no lane of this name");
      }
      break;
    case 1:
      if (const auto choice = in.choice(value, place, {"apns", "fcm"}))
        out.provider = std::array{platform::apns, platform::fcm}[*choice];
      break;
    case 2:
      if (const auto choice = in.choice(value, place, {"production", "sandbox"}))
        out.env = std::array{environment::production, environment::sandbox}[*choice];
      break;
    default: // kind
      if (const auto choice = in.choice(value, place, {"outage", "configuration", "token_storm"}))
        out.kind = std::array{breaker_kind::outage, breaker_kind::configuration,
                              breaker_kind::token_storm}[*choice];
    }
  });
  return out;
}

void list_breakers(const api_ports& api, request&, responder to) {
  std::string items;
  for (const auto& one : api.breakers.list())
    items.append(items.empty() ? "" : ",").append(write_breaker(one));
  to.answer({.body = "{\"items\":[" + items + "]}"});
}

void post_reset(const api_ports& api, request& in, responder to) {
  if (auto wrong = check_json_type(in))
    return to.answer(std::move(*wrong));
  std::vector<field_error> errors;
  const auto filter = read_filter(in.body, api.door, errors);
  if (!errors.empty())
    return to.answer(invalid_fields(errors));
  std::int64_t reset = 0;
  for (const auto& one : api.breakers.list()) {
    if (!filter.fits(one.place))
      continue;
    api.door.reset_breakers(one.place.lane, one.place.dest, one.place.kind);
    ++reset;
  }
  to.answer({.body = json_writer{}.add("reset", reset).take()});
}

} // namespace

void add_breaker_routes(router& routes, api_ports_ptr api) {
  auto add = [&](verb method, const char* pattern, auto handle, query_names query = {}) {
    routes.add(
      {.method = method,
       .pattern = pattern,
       .query = std::move(query),
       .handle = [api, handle](request& in, responder to) { handle(*api, in, std::move(to)); }});
  };
  add(verb::get, "/v1/breakers", list_breakers);
  add(verb::post, "/v1/breakers:reset", post_reset);
}

} // namespace signalbox::http
