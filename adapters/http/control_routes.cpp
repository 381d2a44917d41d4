#include "adapters/http/api.hpp"
#include "adapters/http/json_writer.hpp"
#include "adapters/http/route_support.hpp"
#include "adapters/http/views.hpp"
#include "adapters/http/whole_number.hpp"
#include "adapters/http/work_rule_body.hpp"

#include <spdlog/spdlog.h>

#include <utility>
#include <vector>

namespace signalbox::http {

namespace {

/// Reads the rule, or answers what is wrong with it.
std::optional<work_rule_body> read_rule(const api_ports& api, request& in, responder& to,
                                        work_rule_form form) {
  if (auto wrong = check_json_type(in)) {
    to.answer(std::move(*wrong));
    return std::nullopt;
  }
  std::vector<field_error> errors;
  auto body = read_work_rule_body(
    in.body, form, [&](std::string_view lane) { return api.door.knows(lane); }, errors);
  if (errors.empty())
    return body;
  to.answer(invalid_fields(errors));
  return std::nullopt;
}

void post_pause(const api_ports_ptr& api, request& in, responder to) {
  auto body = read_rule(*api, in, to, work_rule_form::pause);
  if (!body)
    return;
  auto make = [](const pause_view& pause) {
    if (!pause.existed)
      spdlog::info("event=paused pause={} rule={}", pause.id, write_pause(pause));
    return put_answer(pause.existed ? put_outcome::existing : put_outcome::created,
                      write_pause(pause));
  };
  api->control.pause(std::move(body->rule), std::move(body->reason),
                     answer_with<pause_view>(std::move(to), make));
}

void list_pauses(const api_ports_ptr& api, request& in, responder to) {
  std::vector<field_error> errors;
  query_reader query{in, errors};
  auto page = query.page();
  if (!errors.empty())
    return to.answer(invalid_fields(errors));
  api->control.list_pauses(std::move(page),
                           answer_page<pause_view>(std::move(to), query.identity(), write_pause));
}

void delete_pause(const api_ports_ptr& api, request& in, responder to) {
  const auto id = whole_number(in.parameter("pause"));
  if (!id)
    return to.answer(problem(404, "There is no pause of this id."));
  auto make = [id = *id](unit) {
    spdlog::info("event=resumed pause={}", id);
    return no_content();
  };
  api->control.resume(*id, answer_with<unit>(std::move(to), make));
}

void cancel_jobs(const api_ports_ptr& api, request& in, responder to) {
  auto body = read_rule(*api, in, to, work_rule_form::cancel);
  if (!body)
    return;
  auto make = [api, reason = std::move(body->reason)](const cancel_result& done) {
    std::string ids = "[";
    for (const auto& id : done.cancelled) {
      if (&id != &done.cancelled.front())
        ids += ',';
      ids += '"' + id.to_string() + '"';
      api->door.stop_job(id, "cancelled");
    }
    std::string why;
    append_json_string(why, reason);
    spdlog::info("event=jobs_cancelled jobs={} reason={}", done.cancelled.size(), why);
    return response{
      .body = json_writer{}.add_json("cancelled", ids + ']').add("has_more", done.more).take()};
  };
  api->control.cancel_jobs(std::move(body->rule), body->created_before,
                           answer_with<cancel_result>(std::move(to), make));
}

} // namespace

void add_control_routes(router& routes, api_ports_ptr api) {
  auto add = [&](verb method, const char* pattern, auto handle, query_names query = {}) {
    routes.add(
      {.method = method,
       .pattern = pattern,
       .query = std::move(query),
       .handle = [api, handle](request& in, responder to) { handle(api, in, std::move(to)); }});
  };
  add(verb::post, "/v1/pauses", post_pause);
  add(verb::get, "/v1/pauses", list_pauses, {"limit", "cursor"});
  add(verb::delete_, "/v1/pauses/{pause}", delete_pause);
  add(verb::post, "/v1/notifications:cancel", cancel_jobs);
}

} // namespace signalbox::http
