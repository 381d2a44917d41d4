#include "adapters/http/activity_body.hpp"
#include "adapters/http/api.hpp"
#include "adapters/http/json_writer.hpp"
#include "adapters/http/route_support.hpp"
#include "adapters/http/views.hpp"
#include "adapters/payload/push_content.hpp"

#include <memory>
#include <utility>
#include <vector>

namespace signalbox::http {

namespace {

/// Answers the request when it is durable, or when there was nothing to make. Whatever destroys it
/// unused thereby has the responder answer 503.
class activity_responder final : public job_reply {
public:
  activity_responder(responder to, std::string reference)
    : to_(std::move(to)), reference_(std::move(reference)) {}

  void accepted(const job_id&, const commit_result& outcome) override {
    const auto& made = outcome.activity.value();
    json_writer body;
    body.add("activityId", made.activity).add("status", to_string(made.reply));
    if (made.dispatch)
      body.add("dispatchId", made.dispatch->to_string());
    if (made.dispatch && !reference_.empty())
      body.add("reference", reference_);
    to_.answer({.status = made.dispatch ? 202u : 200u, .body = body.take()});
  }

  void refused(errc code, const std::string& message) override {
    to_.answer(failed(code, message));
  }

private:
  responder to_;
  std::string reference_; ///< empty: none
};

/// Where in the request stands what a pointer into new_job::payload says: in its options.
std::string request_pointer(std::string_view pointer) {
  if (pointer == content_state_pointer)
    return "/payload";
  return pointer.empty() ? std::string{} : "/options" + std::string{pointer};
}

void post_activity(const api_ports& api, request& in, responder to) {
  if (auto wrong = check_json_type(in))
    return to.answer(std::move(*wrong));
  std::vector<field_error> errors;
  const auto now = api.clock.now();
  auto body = read_activity_body(in.body, now, errors);
  for (const auto& expiry : {body.options.expires_at, body.request.expires_at})
    check_horizon("/expiresAt", expiry, now, api.max_schedule, errors);
  if (errors.empty() && !api.door.knows(body.lane))
    errors.push_back({"/lane", "there is no lane of this name"});
  else if (errors.empty() && !api.is_activity_lane(body.lane))
    errors.push_back({"/lane", "carries pushes, not Live Activities"});
  if (!errors.empty())
    return to.answer(invalid_fields(errors));
  new_job job;
  job.id = make_uuid_v7(now);
  job.lane = std::move(body.lane);
  job.scope = std::move(body.scope);
  job.payload = std::move(body.payload);
  job.options = body.options;
  job.reference = body.reference;
  job.created_at = now;
  job.activity = std::move(body.request);
  if (auto refusal = api.check_activity(job)) {
    return to.answer(
      invalid_fields({{request_pointer(refusal->pointer), std::move(refusal->detail)}}));
  }
  auto reply = std::make_shared<activity_responder>(std::move(to), std::move(body.reference));
  api.door.submit({std::move(job), std::move(reply)});
}

void get_activity(const api_ports& api, request& in, responder to) {
  std::vector<field_error> errors;
  check_parameter(in, "activity", errors);
  if (!errors.empty())
    return to.answer(invalid_fields(errors));
  auto make = [](const activity_view& activity) {
    return response{.body = write_activity(activity)};
  };
  api.activities.get_activity(default_app, in.parameter("activity"),
                              answer_with<activity_view>(std::move(to), make));
}

void list_dispatches(const api_ports& api, request& in, responder to) {
  std::vector<field_error> errors;
  check_parameter(in, "activity", errors);
  query_reader query{in, errors};
  auto page = query.page();
  if (!errors.empty())
    return to.answer(invalid_fields(errors));
  api.activities.list_dispatches(
    default_app, in.parameter("activity"), std::move(page),
    answer_page<dispatch_view>(std::move(to), query.identity(), write_dispatch));
}

} // namespace

void add_activity_routes(router& routes, api_ports_ptr api) {
  auto add = [&](verb method, const char* pattern, auto handle, query_names query = {}) {
    routes.add(
      {.method = method,
       .pattern = pattern,
       .query = std::move(query),
       .handle = [api, handle](request& in, responder to) { handle(*api, in, std::move(to)); }});
  };
  add(verb::post, "/v1/live-activity/jobs", post_activity);
  add(verb::get, "/v1/live-activity/jobs/{activity}", get_activity);
  add(verb::get, "/v1/live-activity/jobs/{activity}/dispatches", list_dispatches,
      {"limit", "cursor"});
}

} // namespace signalbox::http
