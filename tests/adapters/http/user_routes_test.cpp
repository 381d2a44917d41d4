#include "tests/adapters/http/api_fixture.hpp"

namespace signalbox::http {

namespace {

using calls = std::vector<std::string>;

class user_routes_test : public api_fixture {};

TEST_F(user_routes_test, creates_a_user_once) {
  auto answer = ask("POST", "/v1/users", R"({"id":"u"})");
  EXPECT_EQ(answer.status, 201);
  EXPECT_EQ(answer.body, R"({"id":"u"})");
  users_.put = put_outcome::existing;
  EXPECT_EQ(ask("POST", "/v1/users/", R"({"id":"u"})").status, 200);
  EXPECT_EQ(log_.take(), (calls{"put_user u", "put_user u"}));
}

TEST_F(user_routes_test, refuses_a_bad_user) {
  EXPECT_EQ(pointers(ask("POST", "/v1/users", "{}")), "/id");
  EXPECT_EQ(pointers(ask("POST", "/v1/users", R"({"id":""})")), "/id");
  EXPECT_EQ(pointers(ask("POST", "/v1/users", R"({"id":7})")), "/id");
  EXPECT_EQ(pointers(ask("POST", "/v1/users", R"({"id":"u","name":"n"})")), "/name");
  EXPECT_EQ(pointers(ask("POST", "/v1/users", "{\"id\":\"\xFF\"}")), "");
  EXPECT_EQ(log_.take(), calls{});
}

TEST_F(user_routes_test, shows_and_deletes_a_user) {
  auto answer = ask("GET", "/v1/users/u");
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.body, R"({"id":"u","created_at":"1970-01-01T00:00:00.000Z"})");
  EXPECT_EQ(ask("DELETE", "/v1/users/u").status, 204);
  users_.code = errc::not_found;
  EXPECT_EQ(ask("GET", "/v1/users/u").status, 404);
  EXPECT_EQ(ask("DELETE", "/v1/users/u").status, 404);
  EXPECT_EQ(log_.take(), (calls{"get_user u", "delete_user u", "get_user u", "delete_user u"}));
}

TEST_F(user_routes_test, pages_through_users) {
  users_.next = "k";
  auto first = boost::json::parse(ask("GET", "/v1/users?limit=2").body);
  EXPECT_EQ(first.at("items").as_array().size(), 2u);
  EXPECT_TRUE(first.at("has_more").as_bool());
  std::string cursor{first.at("next_cursor").as_string()};
  users_.next.clear();
  auto last = boost::json::parse(ask("GET", "/v1/users?limit=2&cursor=" + cursor).body);
  EXPECT_FALSE(last.at("has_more").as_bool());
  EXPECT_TRUE(last.at("next_cursor").is_null());
  EXPECT_EQ(log_.take(), (calls{"list_users after= limit=2", "list_users after=k limit=2"}));
  EXPECT_EQ(pointers(ask("GET", "/v1/topics?cursor=" + cursor)), "cursor");
  EXPECT_EQ(pointers(ask("GET", "/v1/users?limit=0")), "limit");
}

TEST_F(user_routes_test, subscribes_without_a_body) {
  auto answer = ask("POST", "/v1/users/u/subscriptions/t");
  EXPECT_EQ(answer.status, 201);
  EXPECT_EQ(answer.body, R"({"user":"u","topic":"t"})");
  topics_.put = put_outcome::existing;
  EXPECT_EQ(ask("POST", "/v1/users/u/subscriptions/t", "{}").status, 200);
  EXPECT_EQ(pointers(ask("POST", "/v1/users/u/subscriptions/t", R"({"a":1})")), "");
  EXPECT_EQ(ask("DELETE", "/v1/users/u/subscriptions/t").status, 204);
  EXPECT_EQ(ask("GET", "/v1/users/u/subscriptions").body,
            R"({"items":[{"topic":"t","created_at":"1970-01-01T00:00:00.000Z"}],)"
            R"("next_cursor":null,"has_more":false})");
  EXPECT_EQ(log_.take(),
            (calls{"subscribe u t", "subscribe u t", "unsubscribe u t", "list_subscriptions u"}));
}

TEST_F(user_routes_test, a_store_that_fails_is_503) {
  users_.code = errc::unavailable;
  auto answer = ask("POST", "/v1/users", R"({"id":"u"})");
  EXPECT_EQ(answer.status, 503);
  EXPECT_EQ(answer.fields["retry-after"], "1");
}

} // namespace

} // namespace signalbox::http
