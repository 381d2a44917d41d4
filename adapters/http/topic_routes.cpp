#include "adapters/http/api.hpp"
#include "adapters/http/id_body.hpp"
#include "adapters/http/json_writer.hpp"
#include "adapters/http/route_support.hpp"
#include "adapters/http/views.hpp"

#include <utility>
#include <vector>

namespace signalbox::http {

namespace {

void post_topic(const api_ports& api, request& in, responder to) {
  if (auto wrong = check_json_type(in))
    return to.answer(std::move(*wrong));
  std::vector<field_error> errors;
  auto topic = read_id_body(in.body, errors, id_body_form::with_name);
  if (!errors.empty())
    return to.answer(invalid_fields(errors));
  auto make = [topic](put_outcome outcome) {
    json_writer body;
    body.add("id", topic.id);
    if (topic.name)
      body.add("name", *topic.name);
    return put_answer(outcome, body.take());
  };
  api.topics.put_topic(default_app, topic.id, topic.name,
                       answer_with<put_outcome>(std::move(to), make));
}

void list_topics(const api_ports& api, request& in, responder to) {
  std::vector<field_error> errors;
  query_reader query{in, errors};
  auto page = query.page();
  if (!errors.empty())
    return to.answer(invalid_fields(errors));
  api.topics.list_topics(default_app, std::move(page),
                         answer_page<topic_view>(std::move(to), query.identity(), write_topic));
}

void get_topic(const api_ports& api, request& in, responder to) {
  std::vector<field_error> errors;
  check_parameter(in, "topic", errors);
  if (!errors.empty())
    return to.answer(invalid_fields(errors));
  auto make = [](const topic_view& topic) { return response{.body = write_topic(topic)}; };
  api.topics.get_topic(default_app, in.parameter("topic"),
                       answer_with<topic_view>(std::move(to), make));
}

void delete_topic(const api_ports& api, request& in, responder to) {
  std::vector<field_error> errors;
  check_parameter(in, "topic", errors);
  if (!errors.empty())
    return to.answer(invalid_fields(errors));
  api.topics.delete_topic(default_app, in.parameter("topic"),
                          answer_with<unit>(std::move(to), [](unit) { return no_content(); }));
}

void count_topic(const api_ports& api, request& in, responder to) {
  std::vector<field_error> errors;
  check_parameter(in, "topic", errors);
  if (!errors.empty())
    return to.answer(invalid_fields(errors));
  auto make = [topic = in.parameter("topic")](std::int64_t count) {
    return response{.body = json_writer{}.add("topic", topic).add("count", count).take()};
  };
  api.topics.count_topic(default_app, in.parameter("topic"),
                         answer_with<std::int64_t>(std::move(to), make));
}

void list_subscribers(const api_ports& api, request& in, responder to) {
  std::vector<field_error> errors;
  check_parameter(in, "topic", errors);
  query_reader query{in, errors};
  auto page = query.page();
  if (!errors.empty())
    return to.answer(invalid_fields(errors));
  api.topics.list_subscribers(default_app, in.parameter("topic"), std::move(page),
                              answer_page<user_view>(std::move(to), query.identity(), write_user));
}

} // namespace

void add_topic_routes(router& routes, api_ports_ptr api) {
  auto add = [&](verb method, const char* pattern, auto handle, query_names query = {}) {
    routes.add(
      {.method = method,
       .pattern = pattern,
       .query = std::move(query),
       .handle = [api, handle](request& in, responder to) { handle(*api, in, std::move(to)); }});
  };
  add(verb::post, "/v1/topics", post_topic);
  add(verb::get, "/v1/topics", list_topics, {"limit", "cursor"});
  add(verb::get, "/v1/topics/{topic}", get_topic);
  add(verb::delete_, "/v1/topics/{topic}", delete_topic);
  add(verb::get, "/v1/topics/{topic}/count", count_topic);
  add(verb::get, "/v1/topics/{topic}/subscribers", list_subscribers, {"limit", "cursor"});
}

} // namespace signalbox::http
