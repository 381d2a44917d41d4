#include "tests/adapters/http/api_fixture.hpp"

namespace signalbox::http {

namespace {

using calls = std::vector<std::string>;

const std::string id = "0190b6c5-0000-7000-8000-0000000000ab";
const std::string other = "0190b6c5-0000-7000-8000-0000000000cd";

class dead_letter_routes_test : public api_fixture {};

TEST_F(dead_letter_routes_test, lists_what_the_filter_names) {
  dead_letter_view letter;
  letter.job = *uuid::parse(id);
  letter.lane = "push";
  letter.token = "ab";
  letter.attempts = 5;
  letter.reason = "max_attempts";
  letter.last_error = "TooManyRequests";
  dead_letters_.letters = {letter, letter};
  dead_letters_.letters[1].token.clear();
  dead_letters_.letters[1].replayed_by = uuid::parse(other);
  const auto common = R"({"job_id":")" + id +
                      R"(","lane":"push","platform":"apns","environment":"production","token":)";
  const std::string rest =
    R"(,"attempts":5,"reason":"max_attempts","last_error":"TooManyRequests",)"
    R"("dead_lettered_at":"1970-01-01T00:00:00.000Z")";
  const auto answer =
    ask("GET", "/v1/dead-letters/?lane=push&reason=max_attempts&limit=2&job=" + id);
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.body, "{\"items\":[" + common + "\"ab\"" + rest + "}," + common + "null" + rest +
                           R"(,"replayed_by":")" + other +
                           R"("}],"next_cursor":null,"has_more":false})");
  EXPECT_EQ(log_.take(), calls{"list job=" + id + " lane=push reason=max_attempts after= limit=2"});
}

TEST_F(dead_letter_routes_test, shows_the_callers_own_id_of_the_job) {
  dead_letters_.letters.resize(1);
  dead_letters_.letters[0].reference = "order-7";
  EXPECT_NE(ask("GET", "/v1/dead-letters").body.find(R"("reference":"order-7")"),
            std::string::npos);
}

TEST_F(dead_letter_routes_test, every_route_takes_a_reference_as_filter) {
  EXPECT_EQ(ask("GET", "/v1/dead-letters?reference=order-7&limit=2").status, 200);
  EXPECT_EQ(ask("POST", "/v1/dead-letters:replay", R"({"reference":"order-7"})").status, 200);
  EXPECT_EQ(ask("DELETE", "/v1/dead-letters?reference=order-7").status, 200);
  EXPECT_EQ(log_.take(), (calls{"list job=any lane= reason= reference=order-7 after= limit=2",
                                "replay job=any lane= reason= reference=order-7",
                                "delete job=any lane= reason= reference=order-7"}));
  EXPECT_EQ(pointers(ask("GET", "/v1/dead-letters?reference=")), "reference");
  EXPECT_EQ(pointers(ask("POST", "/v1/dead-letters:replay", R"({"reference":""})")), "/reference");
}

TEST_F(dead_letter_routes_test, a_cursor_is_good_for_its_filter_only) {
  dead_letters_.letters.resize(1);
  dead_letters_.next = "k";
  const auto page = boost::json::parse(ask("GET", "/v1/dead-letters?lane=a").body);
  const auto cursor = std::string{page.at("next_cursor").as_string()};
  EXPECT_EQ(ask("GET", "/v1/dead-letters?lane=a&cursor=" + cursor).status, 200);
  EXPECT_EQ(pointers(ask("GET", "/v1/dead-letters?lane=b&cursor=" + cursor)), "cursor");
}

TEST_F(dead_letter_routes_test, a_filter_that_cannot_be_meant_is_refused) {
  EXPECT_EQ(pointers(ask("GET", "/v1/dead-letters?job=1&reason=&app=other")), "app job reason");
  EXPECT_EQ(pointers(ask("POST", "/v1/dead-letters:replay",
                         R"({"job":"1","lane":"","dry_run":"yes","limit":1})")),
            "/job /lane /dry_run /limit");
  EXPECT_EQ(pointers(ask("POST", "/v1/dead-letters:replay?lane=push", "{}")), "lane");
  EXPECT_EQ(pointers(ask("POST", "/v1/dead-letters:replay", "3")), "");
  EXPECT_EQ(ask("POST", "/v1/dead-letters:replay", "{}", "text/plain").status, 415);
  EXPECT_EQ(ask("GET", "/v1/dead-letters:replay").status, 405);
  EXPECT_EQ(log_.take(), calls{});
}

TEST_F(dead_letter_routes_test, replays_once) {
  dead_letters_.replayed = {{{uuid::parse(other), *uuid::parse(id), "push", 3}}, 3, true};
  const auto path = "/v1/dead-letters:replay";
  auto answer =
    ask("POST", path, R"({"app":"default","job":")" + id + R"(","reason":"lease_lost"})");
  EXPECT_EQ(answer.status, 202);
  EXPECT_EQ(answer.body, R"({"status":"queued","targets":3,"jobs":[{"job_id":")" + other +
                           R"(","replay_of":")" + id +
                           R"(","lane":"push","targets":3}],"has_more":true})");
  dead_letters_.replayed = {};
  answer = ask("POST", path, "{}");
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.body, R"({"status":"nothing","targets":0,"jobs":[],"has_more":false})");
  EXPECT_EQ(log_.take(), (calls{"replay job=" + id + " lane= reason=lease_lost",
                                "replay job=any lane= reason="}));
}

TEST_F(dead_letter_routes_test, shows_what_a_replay_would_do) {
  dead_letters_.replayed = {{{std::nullopt, *uuid::parse(id), "push", 3}}, 3, false};
  const auto answer = ask("POST", "/v1/dead-letters:replay", R"({"lane":"push","dry_run":true})");
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.body, R"({"status":"dry_run","targets":3,"jobs":[{"job_id":null,"replay_of":")" +
                           id + R"(","lane":"push","targets":3}],"has_more":false})");
  EXPECT_EQ(log_.take(), calls{"dry_run job=any lane=push reason="});
}

TEST_F(dead_letter_routes_test, deletes_all_only_when_told_so) {
  EXPECT_EQ(pointers(ask("DELETE", "/v1/dead-letters")), "all");
  EXPECT_EQ(pointers(ask("DELETE", "/v1/dead-letters?app=default")), "all");
  EXPECT_EQ(pointers(ask("DELETE", "/v1/dead-letters?all=yes")), "all");
  EXPECT_EQ(pointers(ask("DELETE", "/v1/dead-letters?all=true&lane=push")), "all");
  EXPECT_EQ(log_.take(), calls{});
  EXPECT_EQ(ask("DELETE", "/v1/dead-letters?all=true").body, R"({"deleted":3,"has_more":true})");
  EXPECT_EQ(ask("DELETE", "/v1/dead-letters?lane=push").status, 200);
  EXPECT_EQ(log_.take(),
            (calls{"delete job=any lane= reason=", "delete job=any lane=push reason="}));
  dead_letters_.code = errc::unavailable;
  EXPECT_EQ(ask("DELETE", "/v1/dead-letters?lane=push").status, 503);
}

} // namespace

} // namespace signalbox::http
