#include "adapters/http/api.hpp"
#include "adapters/http/id_body.hpp"
#include "adapters/http/json_writer.hpp"
#include "adapters/http/route_support.hpp"
#include "adapters/http/views.hpp"

#include <utility>
#include <vector>

namespace signalbox::http {

namespace {

void post_user(const api_ports& api, request& in, responder to) {
  if (auto wrong = check_json_type(in))
    return to.answer(std::move(*wrong));
  std::vector<field_error> errors;
  auto id = read_id_body(in.body, errors).id;
  if (!errors.empty())
    return to.answer(invalid_fields(errors));
  auto make = [id](put_outcome outcome) {
    return put_answer(outcome, json_writer{}.add("id", id).take());
  };
  api.users.put_user(default_app, id, answer_with<put_outcome>(std::move(to), make));
}

void list_users(const api_ports& api, request& in, responder to) {
  std::vector<field_error> errors;
  query_reader query{in, errors};
  auto page = query.page();
  if (!errors.empty())
    return to.answer(invalid_fields(errors));
  api.users.list_users(default_app, std::move(page),
                       answer_page<user_view>(std::move(to), query.identity(), write_user));
}

void get_user(const api_ports& api, request& in, responder to) {
  std::vector<field_error> errors;
  check_parameter(in, "user", errors);
  if (!errors.empty())
    return to.answer(invalid_fields(errors));
  auto make = [](const user_view& user) { return response{.body = write_user(user)}; };
  api.users.get_user(default_app, in.parameter("user"),
                     answer_with<user_view>(std::move(to), make));
}

void delete_user(const api_ports& api, request& in, responder to) {
  std::vector<field_error> errors;
  check_parameter(in, "user", errors);
  if (!errors.empty())
    return to.answer(invalid_fields(errors));
  api.users.delete_user(default_app, in.parameter("user"),
                        answer_with<unit>(std::move(to), [](unit) { return no_content(); }));
}

void put_subscription(const api_ports& api, request& in, responder to) {
  std::vector<field_error> errors;
  check_parameter(in, "user", errors);
  check_parameter(in, "topic", errors);
  check_no_body(in, errors);
  if (!errors.empty())
    return to.answer(invalid_fields(errors));
  const auto& user = in.parameter("user");
  const auto& topic = in.parameter("topic");
  auto body = json_writer{}.add("user", user).add("topic", topic).take();
  auto make = [body](put_outcome outcome) { return put_answer(outcome, body); };
  api.topics.subscribe(default_app, user, topic, answer_with<put_outcome>(std::move(to), make));
}

void delete_subscription(const api_ports& api, request& in, responder to) {
  std::vector<field_error> errors;
  check_parameter(in, "user", errors);
  check_parameter(in, "topic", errors);
  if (!errors.empty())
    return to.answer(invalid_fields(errors));
  api.topics.unsubscribe(default_app, in.parameter("user"), in.parameter("topic"),
                         answer_with<unit>(std::move(to), [](unit) { return no_content(); }));
}

void list_subscriptions(const api_ports& api, request& in, responder to) {
  std::vector<field_error> errors;
  check_parameter(in, "user", errors);
  query_reader query{in, errors};
  auto page = query.page();
  if (!errors.empty())
    return to.answer(invalid_fields(errors));
  api.topics.list_subscriptions(
    default_app, in.parameter("user"), std::move(page),
    answer_page<subscription_view>(std::move(to), query.identity(), write_subscription));
}

} // namespace

void add_user_routes(router& routes, api_ports_ptr api) {
  auto add = [&](verb method, const char* pattern, auto handle, query_names query = {}) {
    routes.add(
      {.method = method,
       .pattern = pattern,
       .query = std::move(query),
       .handle = [api, handle](request& in, responder to) { handle(*api, in, std::move(to)); }});
  };
  add(verb::post, "/v1/users", post_user);
  add(verb::get, "/v1/users", list_users, {"limit", "cursor"});
  add(verb::get, "/v1/users/{user}", get_user);
  add(verb::delete_, "/v1/users/{user}", delete_user);
  add(verb::post, "/v1/users/{user}/subscriptions/{topic}", put_subscription);
  add(verb::delete_, "/v1/users/{user}/subscriptions/{topic}", delete_subscription);
  add(verb::get, "/v1/users/{user}/subscriptions", list_subscriptions, {"limit", "cursor"});
}

} // namespace signalbox::http
