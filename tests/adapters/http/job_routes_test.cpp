#include "tests/adapters/http/api_fixture.hpp"

namespace signalbox::http {

namespace {

using calls = std::vector<std::string>;

class job_routes_test : public api_fixture {
protected:
  const std::string id_ = "0190b6c5-0000-7000-8000-0000000000ab";
};

TEST_F(job_routes_test, shows_a_job_with_its_account) {
  jobs_.view.status = job_status::completed;
  jobs_.view.total = 10;
  jobs_.view.planned = 10;
  jobs_.view.counts = {4, 3, 1, 0, 1};
  jobs_.view.completed_at = timestamp{};
  EXPECT_EQ(ask("GET", "/v1/notifications/" + id_).body,
            R"({"job_id":")" + id_ +
              R"(","lane":"push","scope":"topic","topic":"news","status":"COMPLETED","counts":)"
              R"({"total":10,"accepted":4,"rejected":3,"unknown":1,"expired":0,"skipped":1,)"
              R"("pending":1},"created_at":"1970-01-01T00:00:00.000Z","scheduled_at":null,)"
              R"("expires_at":null,"completed_at":"1970-01-01T00:00:00.000Z","paused":false})");
  EXPECT_EQ(log_.take(), calls{"get_job"});
}

TEST_F(job_routes_test, shows_a_replay_that_is_paused) {
  jobs_.view.paused = true;
  jobs_.view.replay_of = uuid::parse(id_);
  auto job = boost::json::parse(ask("GET", "/v1/notifications/" + id_).body);
  EXPECT_TRUE(job.at("paused").as_bool());
  EXPECT_EQ(job.at("replay_of").as_string(), id_);
}

TEST_F(job_routes_test, shows_a_dispatch_with_its_activity) {
  jobs_.view.lane = "live-activity";
  jobs_.view.scope = scope_kind::activity;
  jobs_.view.scope_name = "match-7";
  auto job = boost::json::parse(ask("GET", "/v1/notifications/" + id_).body);
  EXPECT_EQ(job.at("scope").as_string(), "activity");
  EXPECT_EQ(job.at("activity").as_string(), "match-7");
}

TEST_F(job_routes_test, counts_reasons_when_asked) {
  auto job = boost::json::parse(ask("GET", "/v1/notifications/" + id_ + "?reasons=true").body);
  EXPECT_EQ(job.at("reasons").at(0).at("reason").as_string(), "BadDeviceToken");
  EXPECT_EQ(job.at("reasons").at(0).at("count").as_int64(), 3);
  EXPECT_TRUE(job.at("counts").at("total").is_null());
  EXPECT_EQ(log_.take(), (calls{"get_job", "count_reasons"}));
  EXPECT_EQ(pointers(ask("GET", "/v1/notifications/" + id_ + "?reasons=1")), "reasons");
}

TEST_F(job_routes_test, an_id_that_is_none_is_not_found) {
  for (auto path : {"/v1/notifications/1", "/v1/notifications/x/receipts"})
    EXPECT_EQ(ask("GET", path).status, 404);
  EXPECT_EQ(ask("DELETE", "/v1/notifications/1").status, 404);
  EXPECT_EQ(log_.take(), calls{});
  jobs_.code = errc::not_found;
  EXPECT_EQ(ask("GET", "/v1/notifications/" + id_).status, 404);
}

TEST_F(job_routes_test, lists_receipts) {
  EXPECT_EQ(ask("GET", "/v1/notifications/" + id_ + "/receipts").body,
            R"({"items":[{"platform":"apns","token":"ab","status":"rejected",)"
            R"("reason":"BadDeviceToken","at":"1970-01-01T00:00:00.000Z"}],)"
            R"("next_cursor":null,"has_more":false})");
}

TEST_F(job_routes_test, cancels_a_job) {
  auto answer = ask("DELETE", "/v1/notifications/" + id_);
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(boost::json::parse(answer.body).at("status").as_string(), "CANCELLED");
  jobs_.code = errc::conflict;
  EXPECT_EQ(ask("DELETE", "/v1/notifications/" + id_).status, 409);
}

TEST_F(job_routes_test, lists_the_history_of_users_and_topics) {
  EXPECT_EQ(ask("GET", "/v1/users/u/notifications?status=COMPLETED").status, 200);
  EXPECT_EQ(ask("GET", "/v1/topics/t/notifications").status, 200);
  EXPECT_EQ(log_.take(), (calls{"list_jobs 2 u COMPLETED", "list_jobs 1 t any"}));
  EXPECT_EQ(pointers(ask("GET", "/v1/users/u/notifications?status=DONE")), "status");
}

TEST_F(job_routes_test, lists_all_jobs_by_every_filter) {
  EXPECT_EQ(ask("GET", "/v1/notifications").status, 200);
  EXPECT_EQ(ask("GET", "/v1/notifications?status=FAILED&lane=bulk&topic=t&reference=order%207"
                       "&since=2026-01-31T10:00:00Z&stale=10m")
              .status,
            200);
  EXPECT_EQ(log_.take(),
            (calls{"list_jobs 1  any",
                   "list_jobs 1 t FAILED lane=bulk reference=order 7 "
                   "since=2026-01-31T10:00:00.000Z due_before=2026-01-31T11:50:00.000Z"}));
}

TEST_F(job_routes_test, a_filter_of_a_list_that_is_wrong_is_named) {
  for (const auto* wrong : {"status=DONE", "status=", "lane=", "topic=", "reference=",
                            "since=yesterday", "since=1769860800", "stale=", "stale=0", "stale=-5",
                            "stale=10x", "stale=10m5", "stale=1.5h", "stale=366d",
                            "stale=99999999999999999999", "limit=0", "cursor=abc", "colour=red"}) {
    const auto answer = ask("GET", std::string{"/v1/notifications?"} + wrong);
    EXPECT_EQ(answer.status, 400) << wrong;
    EXPECT_EQ(pointers(answer), std::string(wrong, std::string_view{wrong}.find('=')));
  }
  EXPECT_EQ(pointers(ask("GET", "/v1/notifications?reference=" + std::string(129, 'r'))),
            "reference");
  EXPECT_EQ(log_.take(), calls{});
}

TEST_F(job_routes_test, reads_how_long_a_job_is_stale_in_every_unit) {
  for (const auto& [text, due] : {std::pair{"90", "2026-01-31T11:58:30.000Z"},
                                  {"90s", "2026-01-31T11:58:30.000Z"},
                                  {"2h", "2026-01-31T10:00:00.000Z"},
                                  {"365d", "2025-01-31T12:00:00.000Z"}}) {
    EXPECT_EQ(ask("GET", std::string{"/v1/notifications?stale="} + text).status, 200);
    EXPECT_EQ(log_.take(), calls{std::string{"list_jobs 1  any due_before="} + due});
  }
}

TEST_F(job_routes_test, a_cursor_of_one_list_of_jobs_does_not_open_another) {
  jobs_.next = "41";
  const auto cursor = std::string{boost::json::parse(ask("GET", "/v1/notifications?lane=push").body)
                                    .at("next_cursor")
                                    .as_string()};
  EXPECT_EQ(ask("GET", "/v1/notifications?lane=push&limit=9&cursor=" + cursor).status, 200);
  EXPECT_EQ(pointers(ask("GET", "/v1/notifications?lane=bulk&cursor=" + cursor)), "cursor");
  EXPECT_EQ(pointers(ask("GET", "/v1/topics/t/notifications?cursor=" + cursor)), "cursor");
  EXPECT_EQ(log_.take(),
            (calls{"list_jobs 1  any lane=push", "list_jobs 1  any lane=push after=41"}));
}

TEST_F(job_routes_test, shows_the_callers_own_id) {
  jobs_.view.reference = "order \"7\"";
  auto job = boost::json::parse(ask("GET", "/v1/notifications/" + id_).body);
  EXPECT_EQ(job.at("reference").as_string(), "order \"7\"");
}

} // namespace

} // namespace signalbox::http
