#include "tests/adapters/http/api_fixture.hpp"

namespace signalbox::http {

namespace {

using calls = std::vector<std::string>;

class topic_routes_test : public api_fixture {};

TEST_F(topic_routes_test, creates_a_topic_once) {
  auto answer = ask("POST", "/v1/topics", R"({"id":"t","name":"News"})");
  EXPECT_EQ(answer.status, 201);
  EXPECT_EQ(answer.body, R"({"id":"t","name":"News"})");
  topics_.put = put_outcome::existing;
  EXPECT_EQ(ask("POST", "/v1/topics", R"({"id":"t"})").status, 200);
  EXPECT_EQ(log_.take(), (calls{"put_topic t News", "put_topic t -"}));
  EXPECT_EQ(
    pointers(ask("POST", "/v1/topics", R"({"id":"t","name":")" + std::string(257, 'x') + "\"}")),
    "/name");
}

TEST_F(topic_routes_test, shows_lists_counts_and_deletes) {
  EXPECT_EQ(ask("GET", "/v1/topics/t").body,
            R"({"id":"t","name":"News","created_at":"1970-01-01T00:00:00.000Z"})");
  EXPECT_EQ(ask("GET", "/v1/topics").status, 200);
  EXPECT_EQ(ask("GET", "/v1/topics/t/count").body, R"({"topic":"t","count":42})");
  EXPECT_EQ(ask("GET", "/v1/topics/t/subscribers").status, 200);
  EXPECT_EQ(ask("DELETE", "/v1/topics/t").status, 204);
  EXPECT_EQ(log_.take(), (calls{"get_topic t", "list_topics", "count_topic t", "list_subscribers t",
                                "delete_topic t"}));
  topics_.code = errc::not_found;
  EXPECT_EQ(ask("GET", "/v1/topics/t").status, 404);
}

} // namespace

} // namespace signalbox::http
