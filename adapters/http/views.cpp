#include "adapters/http/views.hpp"

#include "adapters/http/json_writer.hpp"
#include "messages/app_name.hpp"

#include <utility>

namespace signalbox::http {

namespace {

std::string_view to_string(scope_kind kind) {
  switch (kind) {
  case scope_kind::topic:
    return "topic";
  case scope_kind::user:
    return "user";
  case scope_kind::users:
    return "users";
  case scope_kind::tokens:
    return "tokens";
  case scope_kind::activity:
    break;
  }
  return "activity";
}

std::string write_counts(const job_view& job) {
  json_writer out;
  if (job.total)
    out.add("total", *job.total);
  else
    out.add_json("total", "null");
  const auto& c = job.counts;
  return out.add("accepted", c.accepted)
    .add("rejected", c.rejected)
    .add("unknown", c.unknown)
    .add("expired", c.expired)
    .add("skipped", c.skipped)
    .add("pending", job.pending())
    .take();
}

json_writer begin_job(const job_view& job) {
  json_writer out;
  out.add("job_id", job.id.to_string()).add("lane", job.lane).add("scope", to_string(job.scope));
  if (!job.scope_name.empty())
    out.add(to_string(job.scope), job.scope_name);
  out.add("status", signalbox::to_string(job.status))
    .add_json("counts", write_counts(job))
    .add("created_at", job.created_at)
    .add("scheduled_at", job.not_before)
    .add("expires_at", job.expires_at)
    .add("completed_at", job.completed_at)
    .add("paused", job.paused);
  if (!job.reference.empty())
    out.add("reference", job.reference);
  if (job.replay_of)
    out.add("replay_of", job.replay_of->to_string());
  return out;
}

} // namespace

std::string write_user(const user_view& user) {
  return json_writer{}.add("id", user.id).add("created_at", user.created_at).take();
}

std::string write_topic(const topic_view& topic) {
  json_writer out;
  out.add("id", topic.id);
  if (!topic.name.empty())
    out.add("name", topic.name);
  return out.add("created_at", topic.created_at).take();
}

std::string write_subscription(const subscription_view& subscription) {
  return json_writer{}
    .add("topic", subscription.topic)
    .add("created_at", subscription.created_at)
    .take();
}

std::string write_token(const token_view& token) {
  json_writer out;
  out.add("platform", signalbox::to_string(token.provider))
    .add("environment", signalbox::to_string(token.env))
    .add("token", token.token)
    .add("registered_at", token.registered_at)
    .add("invalidated_at", token.invalidated_at);
  if (!token.invalid_reason.empty())
    out.add("invalid_reason", token.invalid_reason);
  return out.take();
}

std::string write_job(const job_view& job) {
  return begin_job(job).take();
}

std::string write_job(const job_view& job, const std::vector<reason_count>& reasons) {
  std::string list = "[";
  for (const auto& one : reasons) {
    if (&one != &reasons.front())
      list += ',';
    list += json_writer{}
              .add("status", signalbox::to_string(one.status))
              .add("reason", one.reason)
              .add("count", one.count)
              .take();
  }
  return begin_job(job).add_json("reasons", list + ']').take();
}

std::string write_receipt(const receipt_view& receipt) {
  json_writer out;
  if (receipt.provider)
    out.add("platform", signalbox::to_string(*receipt.provider));
  out.add("token", receipt.token).add("status", signalbox::to_string(receipt.status));
  if (!receipt.reason.empty())
    out.add("reason", receipt.reason);
  if (!receipt.provider_id.empty())
    out.add("provider_id", receipt.provider_id);
  if (!receipt.unique_id.empty())
    out.add("apns_unique_id", receipt.unique_id);
  return out.add("at", receipt.at).take();
}

std::string write_pause(const pause_view& pause) {
  const auto& rule = pause.rule;
  json_writer out;
  out.add("id", pause.id);
  if (rule.job)
    out.add("job_id", rule.job->to_string());
  if (rule.app)
    out.add("app", app_name(*rule.app));
  for (const auto& [key, text] :
       {std::pair{"lane", &rule.lane}, {"topic", &rule.topic}, {"user", &rule.user}})
    if (!text->empty())
      out.add(key, *text);
  if (rule.provider)
    out.add("provider", signalbox::to_string(*rule.provider));
  if (rule.env)
    out.add("environment", signalbox::to_string(*rule.env));
  if (!pause.reason.empty())
    out.add("reason", pause.reason);
  return out.add("created_at", pause.created_at).take();
}

std::string write_dead_letter(const dead_letter_view& letter) {
  json_writer out;
  out.add("job_id", letter.job.to_string()).add("lane", letter.lane);
  if (!letter.reference.empty())
    out.add("reference", letter.reference);
  out.add("platform", signalbox::to_string(letter.provider))
    .add("environment", signalbox::to_string(letter.env));
  if (letter.token.empty())
    out.add_json("token", "null");
  else
    out.add("token", letter.token);
  out.add("attempts", std::int64_t{letter.attempts}).add("reason", letter.reason);
  if (!letter.last_error.empty())
    out.add("last_error", letter.last_error);
  out.add("dead_lettered_at", letter.dead_lettered_at);
  if (letter.replayed_by)
    out.add("replayed_by", letter.replayed_by->to_string());
  return out.take();
}

std::string write_replay(const replay_result& replay, std::string_view status) {
  std::string jobs = "[";
  for (const auto& one : replay.jobs) {
    if (&one != &replay.jobs.front())
      jobs += ',';
    json_writer job;
    if (one.job)
      job.add("job_id", one.job->to_string());
    else
      job.add_json("job_id", "null");
    jobs += job.add("replay_of", one.replay_of.to_string())
              .add("lane", one.lane)
              .add("targets", one.targets)
              .take();
  }
  return json_writer{}
    .add("status", status)
    .add("targets", replay.targets)
    .add_json("jobs", jobs + ']')
    .add("has_more", replay.more)
    .take();
}

std::string write_activity(const activity_view& activity) {
  json_writer out;
  out.add("activityId", activity.id)
    .add("activityType", activity.type)
    .add(activity.scope == scope_kind::user ? "userId" : "topicId", activity.scope_name)
    .add("status", signalbox::to_string(activity.status))
    .add("starting", activity.starting)
    .add("seq", activity.seq)
    .add_json("payload", activity.content_state.empty() ? "null" : activity.content_state);
  if (!activity.channel.empty())
    out.add("inputPushChannel", activity.channel);
  return out.add("createdAt", activity.created_at)
    .add("expiresAt", activity.expires_at)
    .add("closedAt", activity.closed_at)
    .take();
}

std::string write_dispatch(const dispatch_view& dispatch) {
  const auto& job = dispatch.job;
  json_writer out;
  out.add("dispatchId", job.id.to_string())
    .add("seq", dispatch.seq)
    .add("action", signalbox::to_string(dispatch.action))
    .add("lane", job.lane)
    .add("status", signalbox::to_string(job.status))
    .add_json("counts", write_counts(job))
    .add("createdAt", job.created_at)
    .add("expiresAt", job.expires_at)
    .add("completedAt", job.completed_at)
    .add("paused", job.paused);
  if (!job.reference.empty())
    out.add("reference", job.reference);
  return out.take();
}

std::string write_breaker(const breaker_view& breaker) {
  const auto& [lane, dest, kind, server] = breaker.place;
  json_writer out;
  if (!lane.empty())
    out.add("lane", lane);
  out.add("app", app_name(dest.app))
    .add("provider", signalbox::to_string(dest.provider))
    .add("environment", signalbox::to_string(dest.env))
    .add("kind", signalbox::to_string(kind));
  if (!server.empty())
    out.add("server", server);
  return out.add("state", signalbox::to_string(breaker.state))
    .add("reason", breaker.reason)
    .add("since", breaker.since)
    .add("next_probe", breaker.next_probe)
    .take();
}

response put_answer(put_outcome outcome, std::string body) {
  return {.status = outcome == put_outcome::created ? 201u : 200u, .body = std::move(body)};
}

} // namespace signalbox::http
