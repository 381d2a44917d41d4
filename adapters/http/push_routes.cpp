#include "adapters/http/api.hpp"
#include "adapters/http/json_writer.hpp"
#include "adapters/http/push_body.hpp"
#include "adapters/http/route_support.hpp"

#include <memory>
#include <utility>
#include <vector>

namespace signalbox::http {

namespace {

/// Answers the request when the job is durable. Whatever destroys it unused (a full mailbox, a
/// crashed actor) thereby has the responder answer 503.
class job_responder final : public job_reply {
public:
  job_responder(responder to, std::string reference)
    : to_(std::move(to)), reference_(std::move(reference)) {}

  void accepted(const job_id& job, const commit_result& outcome) override {
    auto text = outcome.status == job_status::scheduled ? "scheduled" : "queued";
    json_writer body;
    body.add("job_id", job.to_string()).add("status", text);
    if (!reference_.empty())
      body.add("reference", reference_);
    to_.answer({.status = 202, .body = body.take()});
  }

  void refused(errc code, const std::string& message) override {
    to_.answer(failed(code, message));
  }

private:
  responder to_;
  std::string reference_; ///< empty: none
};

job_scope scope_of(request& in, push_body& body) {
  job_scope scope;
  if (const auto& topic = in.parameter("topic"); !topic.empty()) {
    scope.kind = scope_kind::topic;
    scope.name = topic;
  } else if (const auto& user = in.parameter("user"); !user.empty()) {
    scope.kind = scope_kind::user;
    scope.name = user;
  } else if (!body.tokens.empty()) {
    scope.kind = scope_kind::tokens;
    scope.tokens = std::move(body.tokens);
  } else {
    scope.kind = scope_kind::users;
    scope.users = std::move(body.users);
  }
  return scope;
}

/// The job has no id yet: where that would stand, zeros do.
std::string write_dry_run(const api_ports& api, push_body& body, timestamp now) {
  job_context job;
  job.payload = std::move(body.payload);
  job.options = body.options;
  job.created_at = now;
  job.not_before = body.scheduled_at;
  return json_writer{}.add("status", "valid").add_json("rendered", api.render(job)).take();
}

/// `path_target`: the path parameter that names the target; null when the body does.
void post_push(const api_ports& api, request& in, responder to, const char* path_target) {
  if (auto wrong = check_json_type(in))
    return to.answer(std::move(*wrong));
  std::vector<field_error> errors;
  if (path_target != nullptr)
    check_parameter(in, path_target, errors);
  auto now = api.clock.now();
  auto source = path_target != nullptr ? audience_source::path : audience_source::body;
  auto body = read_push_body(in.body, source, now, errors);
  check_horizon("/scheduled_at", body.scheduled_at, now, api.max_schedule, errors);
  check_horizon("/expires_at", body.options.expires_at, body.scheduled_at.value_or(now),
                api.max_schedule, errors);
  if (errors.empty() && !api.door.knows(body.lane))
    errors.push_back({"/lane", "there is no lane of this name"});
  else if (errors.empty() && api.is_activity_lane(body.lane))
    errors.push_back({"/lane", "carries Live Activities, not pushes"});
  if (errors.empty())
    if (auto refusal = api.check_payload(body.payload))
      errors.push_back({std::move(refusal->pointer), std::move(refusal->detail)});
  if (!errors.empty())
    return to.answer(invalid_fields(errors));
  if (body.dry_run)
    return to.answer({.body = write_dry_run(api, body, now)});
  new_job job;
  job.id = make_uuid_v7(now);
  job.scope = scope_of(in, body);
  job.lane = std::move(body.lane);
  job.payload = std::move(body.payload);
  job.options = body.options;
  job.created_at = now;
  job.not_before = body.scheduled_at;
  job.reference = body.reference;
  auto reply = std::make_shared<job_responder>(std::move(to), std::move(body.reference));
  api.door.submit({std::move(job), std::move(reply)});
}

} // namespace

void add_push_routes(router& routes, api_ports_ptr api) {
  auto bind = [&](const char* path_target) {
    return [api, path_target](request& in, responder to) {
      post_push(*api, in, std::move(to), path_target);
    };
  };
  routes.add({.method = verb::post, .pattern = "/v1/users/{user}/send", .handle = bind("user")});
  routes.add(
    {.method = verb::post, .pattern = "/v1/topics/{topic}/publish", .handle = bind("topic")});
  routes.add({.method = verb::post,
              .pattern = "/v1/notifications",
              .handle = bind(nullptr),
              .max_body = api->max_batch_body});
}

} // namespace signalbox::http
