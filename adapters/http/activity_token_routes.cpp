#include "adapters/http/api.hpp"
#include "adapters/http/json_reader.hpp"
#include "adapters/http/json_writer.hpp"
#include "adapters/http/route_support.hpp"
#include "adapters/http/token_body.hpp"
#include "adapters/http/views.hpp"

#include <utility>

namespace signalbox::http {

namespace {

std::string write_registration(const activity_token_registration& token) {
  json_writer out;
  out.add("userId", token.user);
  if (!token.topic.empty())
    out.add("topicId", token.topic);
  if (!token.activity.empty())
    out.add("activityId", token.activity);
  out.add("platform", to_string(token.provider))
    .add("environment", to_string(token.env))
    .add("tokenType", to_string(token.kind))
    .add("token", token.token);
  return out.take();
}

void post_token(const api_ports& api, request& in, responder to) {
  if (auto wrong = check_json_type(in))
    return to.answer(std::move(*wrong));
  json_document document{in.body};
  if (!document.problem().empty())
    return to.answer(invalid_fields({{"", document.problem()}}));
  field_errors errors;
  json_reader reader{errors};
  auto token = read_activity_registration(document.root(), {}, api.clock.now(), reader);
  if (!errors.empty())
    return to.answer(invalid_fields(errors));
  auto make = [text = write_registration(*token)](put_outcome outcome) {
    return put_answer(outcome, text);
  };
  api.activities.register_activity_token(default_app, std::move(*token),
                                         answer_with<put_outcome>(std::move(to), std::move(make)));
}

void delete_token(const api_ports& api, request& in, responder to) {
  if (auto wrong = check_json_type(in))
    return to.answer(std::move(*wrong));
  json_document document{in.body};
  if (!document.problem().empty())
    return to.answer(invalid_fields({{"", document.problem()}}));
  field_errors errors;
  json_reader reader{errors};
  auto token = read_activity_token_name(document.root(), {}, reader);
  if (!errors.empty())
    return to.answer(invalid_fields(errors));
  api.activities.delete_activity_token(
    default_app, std::move(token->user), std::move(token->token),
    answer_with<unit>(std::move(to), [](unit) { return no_content(); }));
}

void put_subscription(const api_ports& api, request& in, responder to) {
  field_errors errors;
  check_parameter(in, "topic", errors);
  check_parameter(in, "user", errors);
  check_no_body(in, errors);
  if (!errors.empty())
    return to.answer(invalid_fields(errors));
  const auto& user = in.parameter("user");
  const auto& topic = in.parameter("topic");
  auto body = json_writer{}.add("userId", user).add("topicId", topic).take();
  auto make = [body](put_outcome outcome) { return put_answer(outcome, body); };
  api.activities.subscribe_activities(default_app, user, topic,
                                      answer_with<put_outcome>(std::move(to), make));
}

void delete_subscription(const api_ports& api, request& in, responder to) {
  field_errors errors;
  check_parameter(in, "topic", errors);
  check_parameter(in, "user", errors);
  if (!errors.empty())
    return to.answer(invalid_fields(errors));
  api.activities.unsubscribe_activities(
    default_app, in.parameter("user"), in.parameter("topic"),
    answer_with<unit>(std::move(to), [](unit) { return no_content(); }));
}

} // namespace

void add_activity_token_routes(router& routes, api_ports_ptr api) {
  auto add = [&](verb method, const char* pattern, auto handle, query_names query = {}) {
    routes.add(
      {.method = method,
       .pattern = pattern,
       .query = std::move(query),
       .handle = [api, handle](request& in, responder to) { handle(*api, in, std::move(to)); }});
  };
  add(verb::post, "/v1/live-activity/tokens", post_token);
  add(verb::delete_, "/v1/live-activity/tokens", delete_token);
  add(verb::post, "/v1/live-activity/topics/{topic}/users/{user}", put_subscription);
  add(verb::delete_, "/v1/live-activity/topics/{topic}/users/{user}", delete_subscription);
}

} // namespace signalbox::http
