#include "adapters/http/api.hpp"
#include "adapters/http/dead_letter_request.hpp"
#include "adapters/http/json_writer.hpp"
#include "adapters/http/route_support.hpp"
#include "adapters/http/views.hpp"

#include <utility>
#include <vector>

namespace signalbox::http {

namespace {

void list_letters(const api_ports& api, request& in, responder to) {
  std::vector<field_error> errors;
  query_reader query{in, errors};
  auto page = query.page();
  auto asked = read_dead_letter_query(query, errors);
  if (!errors.empty())
    return to.answer(invalid_fields(errors));
  api.dead_letters.list_dead_letters(
    std::move(asked.filter), std::move(page),
    answer_page<dead_letter_view>(std::move(to), query.identity(), write_dead_letter));
}

void replay_letters(const api_ports& api, request& in, responder to) {
  if (auto wrong = check_json_type(in))
    return to.answer(std::move(*wrong));
  std::vector<field_error> errors;
  auto body = read_replay_body(in.body, errors);
  if (!errors.empty())
    return to.answer(invalid_fields(errors));
  auto make = [dry_run = body.dry_run](const replay_result& done) {
    const bool queued = !dry_run && !done.jobs.empty();
    return response{.status = queued ? 202u : 200u,
                    .body =
                      write_replay(done, dry_run ? "dry_run" : (queued ? "queued" : "nothing"))};
  };
  api.dead_letters.replay_dead_letters(std::move(body.filter), body.dry_run,
                                       answer_with<replay_result>(std::move(to), make));
}

void delete_letters(const api_ports& api, request& in, responder to) {
  std::vector<field_error> errors;
  query_reader query{in, errors};
  auto asked = read_dead_letter_query(query, errors);
  const auto all = query.get("all").value_or("false");
  if (all != "true" && all != "false")
    errors.push_back({"all", "must be true or false"});
  else if (!asked.filtered && all == "false")
    errors.push_back({"all", "must be true when none of job, lane, reason and reference is given"});
  else if (asked.filtered && all == "true")
    errors.push_back({"all", "cannot stand beside job, lane, reason or reference"});
  if (!errors.empty())
    return to.answer(invalid_fields(errors));
  auto make = [](const dead_letter_count& done) {
    return response{.body =
                      json_writer{}.add("deleted", done.letters).add("has_more", done.more).take()};
  };
  api.dead_letters.delete_dead_letters(std::move(asked.filter),
                                       answer_with<dead_letter_count>(std::move(to), make));
}

} // namespace

void add_dead_letter_routes(router& routes, api_ports_ptr api) {
  auto add = [&](verb method, const char* pattern, auto handle, query_names query = {}) {
    routes.add(
      {.method = method,
       .pattern = pattern,
       .query = std::move(query),
       .handle = [api, handle](request& in, responder to) { handle(*api, in, std::move(to)); }});
  };
  add(verb::get, "/v1/dead-letters", list_letters,
      {"app", "job", "lane", "reason", "reference", "limit", "cursor"});
  add(verb::delete_, "/v1/dead-letters", delete_letters,
      {"app", "job", "lane", "reason", "reference", "all"});
  add(verb::post, "/v1/dead-letters:replay", replay_letters);
}

} // namespace signalbox::http
