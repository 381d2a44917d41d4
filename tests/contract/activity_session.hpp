#pragma once

#include "tests/contract/store_contract.hpp"

#include <algorithm>
#include <string>
#include <vector>

namespace signalbox::contract {

/// The steps that tests of Live Activities are written in, of a session.
class activity_session {
public:
  explicit activity_session(store_session& session) : session_{session} {}

  void add_token(const std::string& user, const std::string& token, token_kind kind,
                 const std::string& activity = {}, const std::string& topic = {},
                 destination where = apns) {
    activity_token_registration row;
    row.user = user;
    row.provider = where.provider;
    row.env = where.env;
    row.kind = kind;
    row.token = token;
    row.activity = activity;
    row.topic = topic;
    const auto added = await<put_outcome>([&](auto done) {
      session_.store().activities().register_activity_token(default_app, row, std::move(done));
    });
    ASSERT_TRUE(added.ok()) << added.message;
  }

  /// `count` users s0.. of the topic, with an update token each that is bound to the activity.
  void add_audience(const std::string& topic, const std::string& activity, int count,
                    destination where = apns) {
    for (int i = 0; i < count; ++i)
      add_token("s" + std::to_string(i), "t" + std::to_string(i), token_kind::update, activity,
                topic, where);
  }

  new_job request(activity_action action, const std::string& activity,
                  const std::string& content_state = R"({"seq":1})") const {
    auto job = session_.user_job({});
    job.scope = {scope_kind::activity, {}, {}, {}};
    job.payload = "{}";
    job.activity = activity_request{action, activity, {}, content_state, {}, {}};
    return job;
  }

  new_job start_job(const std::string& activity, scope_kind scope, const std::string& name) const {
    auto job = request(activity_action::start, activity, R"({"seq":0})");
    job.scope = {scope, name, {}, {}};
    job.activity->type = "ride";
    return job;
  }

  commit_result commit(new_job job) {
    last_ = job.id;
    return session_.commit(std::move(job));
  }

  job_id start(const std::string& activity, scope_kind scope, const std::string& name) {
    return made(commit(start_job(activity, scope, name)), activity_reply::started);
  }
  job_id update(const std::string& activity, const std::string& content_state = R"({"seq":1})") {
    return made(commit(request(activity_action::update, activity, content_state)),
                activity_reply::updated);
  }
  job_id end(const std::string& activity, const std::string& content_state = {}) {
    return made(commit(request(activity_action::end, activity, content_state)),
                activity_reply::ended);
  }

  activity_view view(const std::string& activity) {
    const auto found = await<activity_view>([&](auto done) {
      session_.store().activities().get_activity(default_app, activity, std::move(done));
    });
    EXPECT_TRUE(found.ok()) << found.message;
    return found.value;
  }

  /// Starts the activity and lets its start go out, so that only what is bound counts from now on.
  void begin(const std::string& activity, scope_kind scope, const std::string& name) {
    start(activity, scope, name);
    session_.run_to_the_end();
  }

  /// Everything that can be claimed now, planned first.
  std::vector<work_ptr> take() {
    session_.plan_all();
    return session_.claim_all().works;
  }

private:
  static job_id made(const commit_result& result, activity_reply reply) {
    EXPECT_EQ(result.code, errc::ok) << result.message;
    EXPECT_TRUE(result.activity.has_value());
    if (!result.activity)
      return {};
    EXPECT_EQ(result.activity->reply, reply);
    EXPECT_TRUE(result.activity->dispatch.has_value());
    return result.activity->dispatch.value_or(job_id{});
  }

  store_session& session_;
  job_id last_;
};

/// The tokens of all targets, sorted.
inline std::vector<std::string> tokens_sent(const std::vector<work_ptr>& works) {
  std::vector<std::string> all;
  for (const auto& one : works) {
    const auto tokens = tokens_in(one);
    all.insert(all.end(), tokens.begin(), tokens.end());
  }
  std::sort(all.begin(), all.end());
  return all;
}

using texts = std::vector<std::string>;

} // namespace signalbox::contract
