#include "tests/adapters/http/api_fixture.hpp"

namespace signalbox::http {

namespace {

using calls = std::vector<std::string>;

class token_routes_test : public api_fixture {};

TEST_F(token_routes_test, registers_one_token) {
  auto answer = ask("POST", "/v1/users/tokens", R"({"id":"u","platform":"apns","token":"AB"})");
  EXPECT_EQ(answer.status, 201);
  EXPECT_EQ(answer.body, R"({"id":"u","platform":"apns","environment":"production","token":"ab"})");
  ASSERT_EQ(users_.registered.size(), 1u);
  EXPECT_EQ(users_.registered[0].user, "u");
  EXPECT_EQ(users_.registered[0].token, "ab");
  EXPECT_EQ(pointers(ask("POST", "/v1/users/tokens", R"({"platform":"apns","token":"abc"})")),
            "/token");
  EXPECT_EQ(pointers(ask("POST", "/v1/users/tokens",
                         R"({"id":"u","platform":"apns","token":"ab","topics":["t"]})")),
            "/topics");
}

TEST_F(token_routes_test, registers_a_batch_and_tells_what_it_refused) {
  auto answer = ask("POST", "/v1/tokens:batch", R"({"tokens":[{"platform":"apns","token":"ab"},
    {"platform":"apns","token":"x"},{"platform":"fcm","token":"y","id":"u","topics":["t"]}]})");
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.body, R"({"created":1,"updated":1,"refused":1,"errors":[)"
                         R"({"pointer":"/tokens/1/token","detail":"must be an even number of )"
                         R"(hexadecimal digits"}],"errors_omitted":0})");
  EXPECT_EQ(log_.take(), calls{"register 2"});
}

TEST_F(token_routes_test, a_batch_of_bad_tokens_asks_the_store_nothing) {
  auto answer = ask("POST", "/v1/tokens:batch", R"({"tokens":[{}]})");
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(boost::json::parse(answer.body).at("refused").as_int64(), 1);
  EXPECT_EQ(log_.take(), calls{});
}

TEST_F(token_routes_test, lists_and_deletes_tokens) {
  auto answer = ask("GET", "/v1/users/u/tokens?limit=9");
  EXPECT_EQ(answer.body,
            R"({"items":[{"platform":"apns","environment":"sandbox","token":"ab",)"
            R"("registered_at":"1970-01-01T00:00:00.000Z","invalidated_at":null},)"
            R"({"platform":"fcm","environment":"production","token":"x",)"
            R"("registered_at":"1970-01-01T00:00:00.000Z",)"
            R"("invalidated_at":"1970-01-01T00:00:00.000Z","invalid_reason":"UNREGISTERED"}],)"
            R"("next_cursor":null,"has_more":false})");
  EXPECT_EQ(ask("DELETE", "/v1/users/u/tokens/AB").status, 204);
  EXPECT_EQ(ask("DELETE", "/v1/users/u/tokens/Xyz%3A1").status, 204);
  EXPECT_EQ(log_.take(),
            (calls{"list_tokens u limit=9", "delete_token u ab", "delete_token u Xyz:1"}));
}

} // namespace

} // namespace signalbox::http
