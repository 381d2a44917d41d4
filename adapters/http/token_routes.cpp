#include "adapters/http/api.hpp"
#include "adapters/http/identifiers.hpp"
#include "adapters/http/json_reader.hpp"
#include "adapters/http/json_writer.hpp"
#include "adapters/http/route_support.hpp"
#include "adapters/http/token_body.hpp"
#include "adapters/http/token_import.hpp"
#include "adapters/http/views.hpp"

#include <algorithm>
#include <utility>

namespace signalbox::http {

namespace {

void post_token(const api_ports& api, request& in, responder to) {
  if (auto wrong = check_json_type(in))
    return to.answer(std::move(*wrong));
  json_document document{in.body};
  if (!document.problem().empty())
    return to.answer(invalid_fields({{"", document.problem()}}));
  field_errors errors;
  json_reader reader{errors};
  auto token = read_registration(document.root(), {}, reader, registration_form::single);
  if (!token || !errors.empty())
    return to.answer(invalid_fields(errors));
  json_writer body;
  if (!token->user.empty())
    body.add("id", token->user);
  body.add("platform", to_string(token->provider))
    .add("environment", to_string(token->env))
    .add("token", token->token);
  auto make = [text = body.take()](const registration_result& outcome) {
    bool created = !outcome.created.empty() && outcome.created.front();
    return put_answer(created ? put_outcome::created : put_outcome::existing, text);
  };
  std::vector<token_registration> one;
  one.push_back(std::move(*token));
  api.users.register_tokens(default_app, std::move(one),
                            answer_with<registration_result>(std::move(to), make));
}

/// Names under which NDJSON goes.
const std::vector<std::string_view>& import_types() {
  static const std::vector<std::string_view> types{"application/x-ndjson", "application/ndjson",
                                                   "application/jsonl", "application/x-jsonlines"};
  return types;
}

void post_batch(const api_ports& api, request& in, responder to) {
  if (auto wrong = check_json_type(in, import_types()))
    return to.answer(std::move(*wrong));
  field_errors errors;
  auto batch = read_token_batch(in.body, errors);
  if (!errors.empty())
    return to.answer(invalid_fields(errors));
  auto make = [refused = std::move(batch.refusals)](const registration_result& outcome) {
    auto created = std::count(outcome.created.begin(), outcome.created.end(), true);
    auto updated = static_cast<std::int64_t>(outcome.created.size()) - created;
    return refused.answer(created, updated);
  };
  if (batch.tokens.empty())
    return to.answer(make({}));
  api.users.register_tokens(default_app, std::move(batch.tokens),
                            answer_with<registration_result>(std::move(to), std::move(make)));
}

void list_tokens(const api_ports& api, request& in, responder to) {
  field_errors errors;
  check_parameter(in, "user", errors);
  query_reader query{in, errors};
  auto page = query.page();
  if (!errors.empty())
    return to.answer(invalid_fields(errors));
  api.users.list_tokens(default_app, in.parameter("user"), std::move(page),
                        answer_page<token_view>(std::move(to), query.identity(), write_token));
}

void delete_token(const api_ports& api, request& in, responder to) {
  field_errors errors;
  check_parameter(in, "user", errors);
  const auto& token = in.parameter("token");
  if (auto detail = check_token(platform::fcm, token))
    errors.push_back({"token", std::move(*detail)});
  if (!errors.empty())
    return to.answer(invalid_fields(errors));
  api.users.delete_token(default_app, in.parameter("user"), canonical_token(token),
                         answer_with<unit>(std::move(to), [](unit) { return no_content(); }));
}

} // namespace

void add_token_routes(router& routes, api_ports_ptr api) {
  auto bind = [&](auto handle) {
    return [api, handle](request& in, responder to) { handle(*api, in, std::move(to)); };
  };
  routes.add({.method = verb::post, .pattern = "/v1/users/tokens", .handle = bind(post_token)});
  routes.add({.method = verb::post,
              .pattern = "/v1/tokens:batch",
              .handle = bind(post_batch),
              .max_body = api->max_batch_body,
              .stream_types = import_types(),
              .stream = [api, room = std::make_shared<import_room>()](request&, responder to,
                                                                      body_flow flow) {
                return std::make_shared<token_import>(api->users, default_app, room->take(),
                                                      std::move(to), std::move(flow));
              }});
  routes.add({.method = verb::get,
              .pattern = "/v1/users/{user}/tokens",
              .query = {"limit", "cursor"},
              .handle = bind(list_tokens)});
  routes.add({.method = verb::delete_,
              .pattern = "/v1/users/{user}/tokens/{token}",
              .handle = bind(delete_token)});
}

} // namespace signalbox::http
