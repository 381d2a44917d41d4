#include "tests/adapters/http/api_fixture.hpp"

#include <gmock/gmock.h>

namespace signalbox::http {

namespace {

using calls = std::vector<std::string>;

const std::string id = "0190b6c5-0000-7000-8000-0000000000ab";

class control_routes_test : public api_fixture {
protected:
  std::string pointers_of(const std::string& path, const std::string& body) {
    const auto answer = ask("POST", path, body);
    EXPECT_EQ(answer.status, 400) << body;
    return pointers(answer);
  }
};

TEST_F(control_routes_test, pauses_what_the_rule_names) {
  const auto answer = ask(
    "POST", "/v1/pauses",
    R"({"job_id":")" + id +
      R"(","app":"default","lane":"push","topic":"news","provider":"apns","environment":"sandbox",)"
      R"("reason":"wrong \"text\""})");
  EXPECT_EQ(answer.status, 201);
  EXPECT_EQ(
    answer.body,
    R"({"id":7,"job_id":")" + id +
      R"(","app":"default","lane":"push","topic":"news","provider":"apns","environment":"sandbox",)"
      R"("reason":"wrong \"text\"","created_at":"1970-01-01T00:00:00.000Z"})");
  ASSERT_EQ(control_.rules.size(), 1u);
  const work_rule expected{default_app,         "push", "news", "", uuid::parse(id), platform::apns,
                           environment::sandbox};
  EXPECT_EQ(control_.rules[0], expected);
}

TEST_F(control_routes_test, the_same_pause_again_is_no_new_one) {
  control_.existed = true;
  const auto answer = ask("POST", "/v1/pauses/", R"({"user":"ann"})");
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(boost::json::parse(answer.body).at("user").as_string(), "ann");
}

TEST_F(control_routes_test, a_pause_that_cannot_be_meant_is_refused) {
  const auto path = "/v1/pauses";
  EXPECT_EQ(pointers_of(path, "{}"), "");
  EXPECT_EQ(pointers_of(path, R"({"reason":"because"})"), "");
  EXPECT_EQ(pointers_of(path, "[]"), "");
  EXPECT_EQ(pointers_of(path, "{"), "");
  EXPECT_EQ(pointers_of(path, R"({"job_id":"7"})"), "/job_id");
  EXPECT_EQ(pointers_of(path, R"({"app":"other","lane":"none"})"), "/app /lane");
  EXPECT_EQ(pointers_of(path, R"({"topic":"","user":3})"), "/topic /user");
  EXPECT_EQ(pointers_of(path, R"({"topic":"t","user":"u"})"), "/user");
  EXPECT_EQ(pointers_of(path, R"({"provider":"gcm","environment":"dev"})"),
            "/provider /environment");
  EXPECT_EQ(pointers_of(path, R"({"provider":"fcm","environment":"sandbox"})"), "/environment");
  EXPECT_EQ(pointers_of(path, R"({"lane":"push","reason":")" + std::string(257, 'x') + "\"}"),
            "/reason");
  EXPECT_EQ(pointers_of(path, R"({"lane":"push","created_before":"2026-01-01T00:00:00Z"})"),
            "/created_before");
  EXPECT_EQ(pointers_of(path, R"({"lane":"push","lane":"push"})"), "/lane");
  EXPECT_EQ(pointers_of("/v1/pauses?lane=push", R"({"lane":"push"})"), "lane");
  EXPECT_EQ(ask("POST", path, R"({"lane":"push"})", "text/plain").status, 415);
  EXPECT_EQ(log_.take(), calls{});
}

TEST_F(control_routes_test, lists_pauses_by_page) {
  control_.next = "7";
  const auto answer = ask("GET", "/v1/pauses?limit=1");
  const auto page = boost::json::parse(answer.body);
  EXPECT_EQ(page.at("items").at(0).at("topic").as_string(), "news");
  EXPECT_TRUE(page.at("has_more").as_bool());
  const auto cursor = std::string{page.at("next_cursor").as_string()};
  EXPECT_EQ(ask("GET", "/v1/pauses?limit=1&cursor=" + cursor).status, 200);
  EXPECT_EQ(log_.take(), (calls{"list_pauses after= limit=1", "list_pauses after=7 limit=1"}));
  EXPECT_EQ(pointers(ask("GET", "/v1/pauses?limit=0")), "limit");
}

TEST_F(control_routes_test, resumes_by_id) {
  EXPECT_EQ(ask("DELETE", "/v1/pauses/7").status, 204);
  EXPECT_EQ(ask("DELETE", "/v1/pauses/8.0").status, 204);
  EXPECT_EQ(log_.take(), (calls{"resume 7", "resume 8"}));
  for (const auto* none :
       {"/v1/pauses/x", "/v1/pauses/7x", "/v1/pauses/7.5", "/v1/pauses/99999999999999999999"})
    EXPECT_EQ(ask("DELETE", none).status, 404) << none;
  EXPECT_EQ(log_.take(), calls{});
  control_.code = errc::not_found;
  EXPECT_EQ(ask("DELETE", "/v1/pauses/8").status, 404);
}

TEST_F(control_routes_test, another_method_is_refused_with_those_that_are_there) {
  const auto answer = ask("PUT", "/v1/pauses", "{}");
  EXPECT_EQ(answer.status, 405);
  EXPECT_THAT(answer.fields.at("allow"), testing::HasSubstr("POST"));
}

TEST_F(control_routes_test, cancels_in_bulk_and_stops_what_is_under_way) {
  control_.cancelled = {{*uuid::parse(id)}, true};
  const auto answer =
    ask("POST", "/v1/notifications:cancel",
        R"({"topic":"news","created_before":"2026-01-31T12:00:00Z","reason":"oops"})");
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.body, R"({"cancelled":[")" + id + R"("],"has_more":true})");
  EXPECT_EQ(wait_for_calls(2),
            (calls{"cancel_jobs before=2026-01-31T12:00:00.000Z", "stop " + id + " cancelled"}));
}

TEST_F(control_routes_test, a_bulk_cancel_names_its_jobs) {
  const auto path = "/v1/notifications:cancel";
  EXPECT_EQ(pointers_of(path, R"({"created_before":"2026-01-31T12:00:00Z"})"), "");
  EXPECT_EQ(pointers_of(path, R"({"provider":"apns"})"), "/provider ");
  EXPECT_EQ(pointers_of(path, R"({"lane":"none","created_before":"noon"})"),
            "/lane /created_before");
  EXPECT_EQ(log_.take(), calls{});
  EXPECT_EQ(ask("POST", path, R"({"user":"ann"})").body, R"({"cancelled":[],"has_more":false})");
  EXPECT_EQ(log_.take(), calls{"cancel_jobs before=any"});
}

} // namespace

} // namespace signalbox::http
