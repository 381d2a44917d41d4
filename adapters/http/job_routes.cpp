#include "adapters/http/api.hpp"
#include "adapters/http/job_list_request.hpp"
#include "adapters/http/route_support.hpp"
#include "adapters/http/views.hpp"

#include <memory>
#include <utility>
#include <vector>

namespace signalbox::http {

namespace {

response no_such_job() {
  return problem(404, "There is no job of this id.");
}

void get_job(const api_ports_ptr& api, request& in, responder to) {
  auto id = uuid::parse(in.parameter("job"));
  if (!id)
    return to.answer(no_such_job());
  std::vector<field_error> errors;
  query_reader query{in, errors};
  auto reasons = query.get("reasons").value_or("false");
  if (reasons != "true" && reasons != "false")
    errors.push_back({"reasons", "must be true or false"});
  if (!errors.empty())
    return to.answer(invalid_fields(errors));
  if (reasons == "false")
    return api->jobs.get_job(default_app, *id,
                             answer_with<job_view>(std::move(to), [](const job_view& job) {
                               return response{.body = write_job(job)};
                             }));
  auto shared = std::make_shared<responder>(std::move(to));
  api->jobs.get_job(default_app, *id, [api, shared](result<job_view> job) {
    if (!job.ok())
      return shared->answer(failed(job.code, job.message));
    auto id = job.value.id;
    api->jobs.count_reasons(
      default_app, id,
      [shared, view = std::move(job.value)](result<std::vector<reason_count>> counts) {
        shared->answer(counts.ok() ? response{.body = write_job(view, counts.value)}
                                   : failed(counts.code, counts.message));
      });
  });
}

void list_receipts(const api_ports_ptr& api, request& in, responder to) {
  auto id = uuid::parse(in.parameter("job"));
  if (!id)
    return to.answer(no_such_job());
  std::vector<field_error> errors;
  query_reader query{in, errors};
  auto page = query.page();
  if (!errors.empty())
    return to.answer(invalid_fields(errors));
  api->jobs.list_receipts(
    default_app, *id, std::move(page),
    answer_page<receipt_view>(std::move(to), query.identity(), write_receipt));
}

void cancel_job(const api_ports_ptr& api, request& in, responder to) {
  auto id = uuid::parse(in.parameter("job"));
  if (!id)
    return to.answer(no_such_job());
  auto make = [api](const job_view& job) {
    api->door.stop_job(job.id, "cancelled");
    return response{.body = write_job(job)};
  };
  api->jobs.cancel_job(default_app, *id, answer_with<job_view>(std::move(to), make));
}

void answer_list(const api_ports& api, const query_reader& query, job_query wanted,
                 page_request page, responder to) {
  auto write = [](const job_view& job) { return write_job(job); };
  auto answer = answer_page<job_view>(std::move(to), query.identity(), write);
  api.jobs.list_jobs(default_app, std::move(wanted), std::move(page), std::move(answer));
}

void list_history(const api_ports_ptr& api, request& in, responder to, scope_kind scope,
                  const char* parameter) {
  std::vector<field_error> errors;
  check_parameter(in, parameter, errors);
  query_reader query{in, errors};
  auto page = query.page();
  auto wanted = read_job_query(query, api->clock.now(), errors);
  if (!errors.empty())
    return to.answer(invalid_fields(errors));
  wanted.scope = scope;
  wanted.name = in.parameter(parameter);
  answer_list(*api, query, std::move(wanted), std::move(page), std::move(to));
}

void list_jobs(const api_ports_ptr& api, request& in, responder to) {
  std::vector<field_error> errors;
  query_reader query{in, errors};
  auto page = query.page();
  auto wanted = read_job_query(query, api->clock.now(), errors);
  if (!errors.empty())
    return to.answer(invalid_fields(errors));
  answer_list(*api, query, std::move(wanted), std::move(page), std::move(to));
}

} // namespace

void add_job_routes(router& routes, api_ports_ptr api) {
  auto add = [&](verb method, const char* pattern, auto handle, query_names query = {}) {
    routes.add(
      {.method = method,
       .pattern = pattern,
       .query = std::move(query),
       .handle = [api, handle](request& in, responder to) { handle(api, in, std::move(to)); }});
  };
  add(verb::get, "/v1/notifications", list_jobs,
      {"limit", "cursor", "status", "lane", "topic", "reference", "since", "stale"});
  add(verb::get, "/v1/notifications/{job}", get_job, {"reasons"});
  add(verb::get, "/v1/notifications/{job}/receipts", list_receipts, {"limit", "cursor"});
  add(verb::delete_, "/v1/notifications/{job}", cancel_job);
  add(verb::get, "/v1/users/{user}/notifications",
      [](const api_ports_ptr& ports, request& in, responder to) {
        list_history(ports, in, std::move(to), scope_kind::user, "user");
      },
      {"limit", "cursor", "status"});
  add(verb::get, "/v1/topics/{topic}/notifications",
      [](const api_ports_ptr& ports, request& in, responder to) {
        list_history(ports, in, std::move(to), scope_kind::topic, "topic");
      },
      {"limit", "cursor", "status"});
}

} // namespace signalbox::http
