#include "tests/adapters/http/api_fixture.hpp"

#include <boost/json/serialize.hpp>

namespace signalbox::http {

namespace {

using calls = std::vector<std::string>;

class activity_routes_test : public api_fixture {
protected:
  activity_routes_test() {
    made_ = [this](const new_job& dispatch) {
      return activity_result{"match-7", reply_,
                             nothing_made_ ? std::nullopt : std::optional{dispatch.id}};
    };
  }

  raw_answer post(const std::string& body) { return ask("POST", "/v1/live-activity/jobs", body); }

  const std::string start_ = R"({"action":"start","activityId":"match-7","activityType":"match",
    "topicId":"derby","payload":{"n":1},"options":{"alert":{"title":"t"},"attributesType":"T",
    "attributes":{},"ttl":60}})";
  activity_reply reply_ = activity_reply::started;
  bool nothing_made_ = false;
};

TEST_F(activity_routes_test, starts_an_activity) {
  auto answer = post(start_);
  EXPECT_EQ(answer.status, 202) << answer.body;
  ASSERT_EQ(accepted().size(), 1u);
  auto job = accepted()[0];
  EXPECT_EQ(answer.body, R"({"activityId":"match-7","status":"started","dispatchId":")" +
                           job.id.to_string() + "\"}");
  EXPECT_EQ(job.lane, "live-activity");
  EXPECT_EQ(job.app, default_app);
  EXPECT_EQ(job.scope.kind, scope_kind::topic);
  EXPECT_EQ(job.scope.name, "derby");
  EXPECT_EQ(job.created_at, clock_.now());
  EXPECT_EQ(job.options.ttl, std::chrono::seconds{60});
  EXPECT_EQ(job.payload, R"({"alert":{"title":"t"},"attributes_type":"T","attributes":{}})");
  ASSERT_TRUE(job.activity);
  EXPECT_EQ(job.activity->action, activity_action::start);
  EXPECT_EQ(job.activity->activity, "match-7");
  EXPECT_EQ(job.activity->content_state, R"({"n":1})");
}

TEST_F(activity_routes_test, names_the_activity_that_the_store_found) {
  reply_ = activity_reply::updated;
  auto answer =
    post(R"({"action":"update","activityType":"match","topicId":"derby","payload":{}})");
  EXPECT_EQ(answer.status, 202);
  auto body = boost::json::parse(answer.body);
  EXPECT_EQ(body.at("activityId").as_string(), "match-7");
  EXPECT_EQ(body.at("status").as_string(), "updated");
  reply_ = activity_reply::ended;
  answer = post(R"({"action":"end","activityId":"match-7"})");
  EXPECT_EQ(answer.status, 202);
  EXPECT_EQ(boost::json::parse(answer.body).at("status").as_string(), "ended");
}

TEST_F(activity_routes_test, answers_200_when_there_was_nothing_to_make) {
  nothing_made_ = true;
  reply_ = activity_reply::already_started;
  auto answer = post(start_);
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.body, R"({"activityId":"match-7","status":"already_started"})");
  reply_ = activity_reply::closed;
  answer = post(R"({"action":"end","activityId":"match-7"})");
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.body, R"({"activityId":"match-7","status":"closed"})");
}

TEST_F(activity_routes_test, an_update_of_what_is_not_active_is_not_found) {
  refuse_ = errc::not_found;
  EXPECT_EQ(post(R"({"action":"update","activityId":"x","payload":{}})").status, 404);
}

// Not a late failure: nothing reaches the lane.
TEST_F(activity_routes_test, a_start_without_alert_type_or_attributes_is_a_400) {
  EXPECT_EQ(pointers(post(R"({"action":"start","activityId":"a","activityType":"t","userId":"u",
                              "payload":{}})")),
            "/options/alert /options/attributesType /options/attributes");
  EXPECT_TRUE(accepted().empty());
}

TEST_F(activity_routes_test, refuses_lanes_that_are_none_or_carry_pushes) {
  EXPECT_EQ(pointers(post(R"({"action":"end","activityId":"a","lane":"nowhere"})")), "/lane");
  EXPECT_EQ(pointers(post(R"({"action":"end","activityId":"a","lane":"push"})")), "/lane");
  EXPECT_EQ(post(R"({"action":"end","activityId":"a","lane":"live-activity"})").status, 202);
  EXPECT_EQ(accepted().size(), 1u);
}

TEST_F(activity_routes_test, refuses_what_no_provider_takes) {
  payload_limit_ = 10;
  auto answer = post(start_);
  EXPECT_EQ(answer.status, 400);
  EXPECT_NE(answer.body.find("too large for the test"), std::string::npos);
  EXPECT_TRUE(accepted().empty());
}

TEST_F(activity_routes_test, points_at_what_a_provider_does_not_take) {
  auto answer = post(R"({"action":"end","activityId":"a",
                         "options":{"fcm":{"data":{"reserved":"x"}}}})");
  EXPECT_EQ(answer.status, 400);
  EXPECT_EQ(pointers(answer), "/options/fcm/data/reserved");
}

TEST_F(activity_routes_test, refuses_another_media_type) {
  EXPECT_EQ(ask("POST", "/v1/live-activity/jobs", start_, "text/xml").status, 415);
}

TEST_F(activity_routes_test, a_dispatch_that_an_actor_drops_is_answered_503) {
  drop_ = true;
  auto answer = post(start_);
  EXPECT_EQ(answer.status, 503);
  EXPECT_EQ(answer.fields["retry-after"], "1");
}

TEST_F(activity_routes_test, shows_an_activity) {
  EXPECT_EQ(ask("GET", "/v1/live-activity/jobs/a%20b").body,
            R"({"activityId":"a","activityType":"match","userId":"u","status":"ACTIVE",)"
            R"("starting":false,"seq":3,"payload":{"n":1},"createdAt":"1970-01-01T00:00:00.000Z",)"
            R"("expiresAt":"1970-01-01T00:00:00.000Z","closedAt":null})");
  activities_.view.scope = scope_kind::topic;
  activities_.view.channel = "YQ==";
  activities_.view.content_state.clear();
  activities_.view.status = activity_status::closed;
  activities_.view.closed_at = timestamp{};
  auto view = boost::json::parse(ask("GET", "/v1/live-activity/jobs/a").body);
  EXPECT_EQ(view.at("topicId").as_string(), "u");
  EXPECT_EQ(view.at("inputPushChannel").as_string(), "YQ==");
  EXPECT_TRUE(view.at("payload").is_null());
  EXPECT_EQ(view.at("status").as_string(), "CLOSED");
  EXPECT_EQ(view.at("closedAt").as_string(), "1970-01-01T00:00:00.000Z");
  EXPECT_EQ(log_.take(), (calls{"get_activity a b", "get_activity a"}));
  activities_.code = errc::not_found;
  EXPECT_EQ(ask("GET", "/v1/live-activity/jobs/a").status, 404);
  EXPECT_EQ(pointers(ask("GET", "/v1/live-activity/jobs/%01")), "activity");
}

TEST_F(activity_routes_test, echoes_the_callers_own_id_of_a_dispatch) {
  const std::string update =
    R"({"action":"update","activityId":"match-7","payload":{},"reference":"goal-2"})";
  EXPECT_EQ(boost::json::parse(post(update).body).at("reference").as_string(), "goal-2");
  ASSERT_EQ(accepted().size(), 1u);
  EXPECT_EQ(accepted()[0].reference, "goal-2");
  nothing_made_ = true;
  EXPECT_EQ(post(update).body.find("reference"), std::string::npos) << "no dispatch has it";
  EXPECT_EQ(pointers(post(R"({"action":"end","activityId":"a","reference":""})")), "/reference");
  dispatch_view one{2, activity_action::update, jobs_.view};
  one.job.reference = "goal-2";
  activities_.dispatches = {one};
  EXPECT_NE(ask("GET", "/v1/live-activity/jobs/a/dispatches").body.find(R"("reference":"goal-2")"),
            std::string::npos);
}

TEST_F(activity_routes_test, lists_dispatches_by_the_page) {
  dispatch_view one{2, activity_action::update, jobs_.view};
  one.job.id = *uuid::parse("0190b6c5-0000-7000-8000-0000000000ab");
  one.job.lane = "live-activity";
  one.job.status = job_status::superseded;
  one.job.total = 3;
  one.job.planned = 3;
  one.job.counts = {1, 0, 0, 0, 2};
  activities_.dispatches = {one};
  activities_.next = "key";
  auto answer = ask("GET", "/v1/live-activity/jobs/a/dispatches?limit=1");
  auto page = boost::json::parse(answer.body);
  EXPECT_EQ(boost::json::serialize(page.at("items").at(0)),
            R"({"dispatchId":"0190b6c5-0000-7000-8000-0000000000ab","seq":2,"action":"update",)"
            R"("lane":"live-activity","status":"SUPERSEDED","counts":{"total":3,"accepted":1,)"
            R"("rejected":0,"unknown":0,"expired":0,"skipped":2,"pending":0},)"
            R"("createdAt":"1970-01-01T00:00:00.000Z","expiresAt":null,"completedAt":null,)"
            R"("paused":false})");
  EXPECT_TRUE(page.at("has_more").as_bool());
  const auto cursor = std::string{page.at("next_cursor").as_string()};
  activities_.next.clear();
  EXPECT_EQ(ask("GET", "/v1/live-activity/jobs/a/dispatches?cursor=" + cursor).status, 200);
  EXPECT_EQ(pointers(ask("GET", "/v1/live-activity/jobs/b/dispatches?cursor=" + cursor)), "cursor");
  EXPECT_EQ(log_.take(),
            (calls{"list_dispatches a after= limit=1", "list_dispatches a after=key limit=50"}));
  activities_.code = errc::not_found;
  EXPECT_EQ(ask("GET", "/v1/live-activity/jobs/a/dispatches").status, 404);
}

} // namespace

} // namespace signalbox::http
