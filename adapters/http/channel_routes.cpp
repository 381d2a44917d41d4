#include "adapters/http/api.hpp"
#include "adapters/http/json_reader.hpp"
#include "adapters/http/json_writer.hpp"
#include "adapters/http/route_support.hpp"

#include <array>
#include <utility>
#include <vector>

namespace signalbox::http {

namespace {

constexpr std::array<std::string_view, 2> names{"environment", "messageStoragePolicy"};
constexpr std::size_t max_channel = 256;

std::string_view text_of(environment env) {
  return env == environment::sandbox ? "sandbox" : "production";
}

struct channel_body {
  environment env = environment::production;
  std::optional<message_storage> storage;
};

channel_body read_body(std::string_view text, field_errors& errors) {
  channel_body out;
  json_reader in{errors};
  bool is_policy_given = false;
  const bool is_object =
    in.body(text, names, [&](std::size_t which, json_value value, json_place place) {
      if (names[which] == "environment") {
        if (const auto choice = in.choice(value, place, {"production", "sandbox"}))
          out.env = std::array{environment::production, environment::sandbox}[*choice];
        return;
      }
      is_policy_given = true;
      if (const auto choice = in.choice(value, place, {"none", "latest"}))
        out.storage = std::array{message_storage::none, message_storage::latest}[*choice];
    });
  if (is_object && !is_policy_given)
    in.error(json_place{}.member(names[1]), "is needed: \"none\" or \"latest\"");
  return out;
}

environment read_environment(const query_reader& query, std::vector<field_error>& errors) {
  const auto given = query.get("environment");
  if (given && *given != "production" && *given != "sandbox")
    errors.push_back({"environment", "must be production or sandbox"});
  return given == "sandbox" ? environment::sandbox : environment::production;
}

void post_channel(const api_ports& api, request& in, responder to) {
  if (auto wrong = check_json_type(in))
    return to.answer(std::move(*wrong));
  std::vector<field_error> errors;
  const auto body = read_body(in.body, errors);
  if (!errors.empty())
    return to.answer(invalid_fields(errors));
  auto make = [body](const std::string& id) {
    return response{.status = 201,
                    .body = json_writer{}
                              .add("channelId", id)
                              .add("environment", text_of(body.env))
                              .add("messageStoragePolicy",
                                   *body.storage == message_storage::none ? "none" : "latest")
                              .take()};
  };
  api.channels.create_channel(default_app, body.env, *body.storage,
                              answer_with<std::string>(std::move(to), make));
}

void list_channels(const api_ports& api, request& in, responder to) {
  std::vector<field_error> errors;
  query_reader query{in, errors};
  const auto env = read_environment(query, errors);
  auto page = query.page();
  if (!errors.empty())
    return to.answer(invalid_fields(errors));
  auto write = [env](const std::string& id) {
    return json_writer{}.add("channelId", id).add("environment", text_of(env)).take();
  };
  api.channels.list_channels(default_app, env, std::move(page),
                             answer_page<std::string>(std::move(to), query.identity(), write));
}

void delete_channel(const api_ports& api, request& in, responder to) {
  std::vector<field_error> errors;
  query_reader query{in, errors};
  const auto env = read_environment(query, errors);
  check_no_body(in, errors);
  const auto& channel = in.parameter("channel");
  // It becomes a header of the request to APNs.
  constexpr std::string_view digits =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/-_=";
  if (channel.empty() || channel.size() > max_channel ||
      channel.find_first_not_of(digits) != channel.npos)
    errors.push_back({"channel", "must be the id of a broadcast channel, which is base64"});
  if (!errors.empty())
    return to.answer(invalid_fields(errors));
  api.channels.delete_channel(default_app, env, channel,
                              answer_with<unit>(std::move(to), [](unit) { return no_content(); }));
}

} // namespace

void add_channel_routes(router& routes, api_ports_ptr api) {
  auto add = [&](verb method, const char* pattern, auto handle, query_names query = {}) {
    routes.add(
      {.method = method,
       .pattern = pattern,
       .query = std::move(query),
       .handle = [api, handle](request& in, responder to) { handle(*api, in, std::move(to)); }});
  };
  add(verb::post, "/v1/live-activity/channels", post_channel);
  add(verb::get, "/v1/live-activity/channels", list_channels, {"environment", "limit", "cursor"});
  add(verb::delete_, "/v1/live-activity/channels/{channel}", delete_channel, {"environment"});
}

} // namespace signalbox::http
