#include "tests/adapters/http/api_fixture.hpp"

namespace signalbox::http {

namespace {

using calls = std::vector<std::string>;

class activity_token_routes_test : public api_fixture {};

TEST_F(activity_token_routes_test, registers_a_token) {
  const std::string update =
    R"({"userId":"u","topicId":"t","activityId":"a","platform":"apns","tokenType":"update",
        "token":"AB","environment":"sandbox","expiresAt":"2026-01-31T13:00:00Z"})";
  auto answer = ask("POST", "/v1/live-activity/tokens", update);
  EXPECT_EQ(answer.status, 201);
  EXPECT_EQ(answer.body, R"({"userId":"u","topicId":"t","activityId":"a","platform":"apns",)"
                         R"("environment":"sandbox","tokenType":"update","token":"ab"})");
  activities_.put = put_outcome::existing;
  answer = ask("POST", "/v1/live-activity/tokens/",
               R"({"userId":"u","platform":"apns","tokenType":"start","token":"cd"})");
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.body, R"({"userId":"u","platform":"apns","environment":"production",)"
                         R"("tokenType":"start","token":"cd"})");
  EXPECT_EQ(log_.take(), (calls{"register u ab update topic=t activity=a",
                                "register u cd start topic= activity="}));
}

TEST_F(activity_token_routes_test, refuses_bad_tokens_with_pointers) {
  EXPECT_EQ(pointers(ask("POST", "/v1/live-activity/tokens",
                         R"({"userId":"u","platform":"fcm","tokenType":"start","token":"x"})")),
            "/tokenType");
  EXPECT_EQ(pointers(ask("POST", "/v1/live-activity/tokens", "")), "");
  EXPECT_EQ(pointers(ask("POST", "/v1/live-activity/tokens", "[]")), "");
  EXPECT_EQ(ask("POST", "/v1/live-activity/tokens", "{}", "text/xml").status, 415);
  EXPECT_EQ(log_.take(), calls{});
}

TEST_F(activity_token_routes_test, deletes_a_token) {
  EXPECT_EQ(ask("DELETE", "/v1/live-activity/tokens", R"({"userId":"u","token":"AB"})").status,
            204);
  EXPECT_EQ(ask("DELETE", "/v1/live-activity/tokens", R"({"userId":"u","token":"Xy:1"})").status,
            204);
  EXPECT_EQ(log_.take(), (calls{"delete u ab", "delete u Xy:1"}));
  EXPECT_EQ(pointers(ask("DELETE", "/v1/live-activity/tokens", "{}")), "/userId /token");
  EXPECT_EQ(pointers(ask("DELETE", "/v1/live-activity/tokens", "")), "");
  EXPECT_EQ(ask("DELETE", "/v1/live-activity/tokens", "{}", "text/xml").status, 415);
  EXPECT_EQ(log_.take(), calls{});
  activities_.code = errc::not_found;
  EXPECT_EQ(ask("DELETE", "/v1/live-activity/tokens", R"({"userId":"u","token":"x"})").status, 404);
}

TEST_F(activity_token_routes_test, subscribes_and_unsubscribes) {
  const std::string path = "/v1/live-activity/topics/t/users/u";
  auto answer = ask("POST", path);
  EXPECT_EQ(answer.status, 201);
  EXPECT_EQ(answer.body, R"({"userId":"u","topicId":"t"})");
  activities_.put = put_outcome::existing;
  EXPECT_EQ(ask("POST", path, "{}").status, 200);
  EXPECT_EQ(ask("DELETE", path).status, 204);
  EXPECT_EQ(log_.take(), (calls{"subscribe u t", "subscribe u t", "unsubscribe u t"}));
  EXPECT_EQ(pointers(ask("POST", path, R"({"a":1})")), "");
  EXPECT_EQ(pointers(ask("POST", "/v1/live-activity/topics/%01/users/%02")), "topic user");
  EXPECT_EQ(pointers(ask("DELETE", "/v1/live-activity/topics/%01/users/%02")), "topic user");
  activities_.code = errc::not_found;
  EXPECT_EQ(ask("DELETE", path).status, 404);
}

} // namespace

} // namespace signalbox::http
