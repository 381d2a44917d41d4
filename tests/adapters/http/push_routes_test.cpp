#include "tests/adapters/http/api_fixture.hpp"

namespace signalbox::http {

namespace {

class push_routes_test : public api_fixture {};

TEST_F(push_routes_test, sends_to_a_user) {
  auto answer = ask("POST", "/v1/users/j%C3%BCrgen/send", R"({"title":"Hi","ttl":60})");
  EXPECT_EQ(answer.status, 202) << answer.body;
  ASSERT_EQ(accepted().size(), 1u);
  auto job = accepted()[0];
  EXPECT_EQ(answer.body, R"({"job_id":")" + job.id.to_string() + R"(","status":"queued"})");
  EXPECT_EQ(job.scope.kind, scope_kind::user);
  EXPECT_EQ(job.scope.name, "j\xC3\xBCrgen");
  EXPECT_EQ(job.app, default_app);
  EXPECT_EQ(job.lane, "push");
  EXPECT_EQ(job.payload, R"({"title":"Hi"})");
  EXPECT_EQ(job.options.ttl, std::chrono::seconds{60});
  EXPECT_EQ(job.created_at, clock_.now());
}

TEST_F(push_routes_test, publishes_to_a_topic_at_a_time) {
  auto answer = ask("POST", "/v1/topics/news/publish/",
                    R"({"body":"b","scheduled_at":"2026-02-01T00:00:00Z"})");
  EXPECT_EQ(answer.status, 202);
  EXPECT_NE(answer.body.find(R"("status":"scheduled")"), std::string::npos);
  ASSERT_EQ(accepted().size(), 1u);
  EXPECT_EQ(accepted()[0].scope.kind, scope_kind::topic);
  EXPECT_EQ(accepted()[0].not_before, parse_rfc3339("2026-02-01T00:00:00Z"));
}

TEST_F(push_routes_test, notifies_tokens_or_users) {
  EXPECT_EQ(
    ask("POST", "/v1/notifications", R"({"body":"b","tokens":[{"platform":"apns","token":"ab"}]})")
      .status,
    202);
  EXPECT_EQ(ask("POST", "/v1/notifications", R"({"body":"b","users":["u","v"]})").status, 202);
  ASSERT_EQ(accepted().size(), 2u);
  EXPECT_EQ(accepted()[0].scope.kind, scope_kind::tokens);
  EXPECT_EQ(accepted()[0].scope.tokens.size(), 1u);
  EXPECT_EQ(accepted()[1].scope.kind, scope_kind::users);
  EXPECT_EQ(accepted()[1].scope.users.size(), 2u);
}

TEST_F(push_routes_test, takes_a_large_list_of_targets_and_no_larger_body) {
  std::string text = R"({"body":"b","tokens":[)";
  for (int i = 0; i < 10'000; ++i) {
    auto number = std::to_string(i);
    text += (i > 0 ? "," : "") + (R"({"platform":"apns","token":")" + std::string(150, 'a')) +
            std::string(10 - number.size(), '0') + number + "\"}";
  }
  text += "]}";
  ASSERT_GT(text.size(), 1024u * 1024);
  EXPECT_EQ(ask("POST", "/v1/notifications", text).status, 202);
  ASSERT_EQ(accepted().size(), 1u);
  EXPECT_EQ(accepted()[0].scope.tokens.size(), 10'000u);

  raw_client client{server_->port()};
  auto answer = client.ask("POST /v1/notifications HTTP/1.1\r\nHost: a\r\nContent-Length: " +
                           std::to_string(8 * 1024 * 1024 + 1) + "\r\n\r\n");
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->status, 413);
  raw_client other{server_->port()};
  answer =
    other.ask("POST /v1/users/u/send HTTP/1.1\r\nHost: a\r\nContent-Length: 1048577\r\n\r\n");
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->status, 413);
}

TEST_F(push_routes_test, a_dry_run_stores_nothing_and_answers_what_would_be_sent) {
  auto answer = ask("POST", "/v1/users/u/send", R"({"body":"b","dry_run":true})");
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.body, R"({"status":"valid","rendered":{"apns":{"body":"b"}}})");
  EXPECT_EQ(ask("POST", "/v1/users/u/send", R"({"dry_run":true})").status, 400);
  EXPECT_TRUE(accepted().empty());
}

TEST_F(push_routes_test, refuses_what_is_wrong_with_pointers) {
  auto answer = ask("POST", "/v1/users/u/send", R"({"body":1,"lane":"nowhere"})");
  EXPECT_EQ(answer.status, 400);
  EXPECT_EQ(answer.fields["content-type"], "application/problem+json");
  EXPECT_EQ(pointers(ask("POST", "/v1/users/u/send", R"({"body":"b","lane":"nowhere"})")), "/lane");
  EXPECT_EQ(pointers(ask("POST", "/v1/users/u/send", R"({"body":"b","lane":"live-activity"})")),
            "/lane");
  EXPECT_EQ(pointers(ask("POST", "/v1/users/%01/send", R"({"body":"b"})")), "user");
  EXPECT_EQ(pointers(ask("POST", "/v1/users/%ff/send", R"({"body":"b"})")), "user");
  EXPECT_TRUE(accepted().empty());
}

TEST_F(push_routes_test, refuses_a_payload_that_no_provider_takes) {
  payload_limit_ = 100;
  auto answer = ask("POST", "/v1/users/u/send", R"({"body":")" + std::string(200, 'x') + "\"}");
  EXPECT_EQ(answer.status, 400);
  EXPECT_NE(answer.body.find("too large for the test"), std::string::npos);
  EXPECT_TRUE(accepted().empty());
}

TEST_F(push_routes_test, points_at_what_a_provider_does_not_take) {
  auto answer = ask("POST", "/v1/users/u/send", R"({"body":"b","fcm":{"data":{"reserved":"x"}}})");
  EXPECT_EQ(answer.status, 400);
  EXPECT_EQ(pointers(answer), "/fcm/data/reserved");
}

TEST_F(push_routes_test, refuses_another_media_type) {
  EXPECT_EQ(ask("POST", "/v1/users/u/send", R"({"body":"b"})", "text/xml").status, 415);
  EXPECT_EQ(
    ask("POST", "/v1/users/u/send", R"({"body":"b"})", "Application/JSON; charset=utf-8").status,
    202);
}

TEST_F(push_routes_test, a_job_that_an_actor_drops_is_answered_503) {
  drop_ = true;
  auto answer = ask("POST", "/v1/users/u/send", R"({"body":"b"})");
  EXPECT_EQ(answer.status, 503);
  EXPECT_EQ(answer.fields["retry-after"], "1");
}

TEST_F(push_routes_test, a_closed_door_answers_503) {
  serve();
  door_.close();
  EXPECT_EQ(ask("POST", "/v1/users/u/send", R"({"body":"b"})").status, 503);
}

TEST_F(push_routes_test, a_refusal_has_the_status_of_its_code) {
  for (auto [code, status] :
       {std::pair{errc::not_found, 404}, std::pair{errc::conflict, 409}, std::pair{errc::busy, 503},
        std::pair{errc::disk_full, 503}, std::pair{errc::stopping, 503},
        std::pair{errc::invalid, 400}, std::pair{errc::internal, 500}}) {
    refuse_ = code;
    auto answer = ask("POST", "/v1/topics/t/publish", R"({"body":"b"})");
    EXPECT_EQ(answer.status, status);
    EXPECT_EQ(answer.fields.count("retry-after"), status == 503 ? 1u : 0u);
  }
}

TEST_F(push_routes_test, echoes_the_callers_own_id_on_every_route) {
  const std::string content = R"({"body":"b","reference":"order-7")";
  for (const auto& [path, rest] : {std::pair{"/v1/users/u/send", "}"},
                                   {"/v1/topics/t/publish", "}"},
                                   {"/v1/notifications", R"(,"users":["u"]})"}}) {
    const auto answer = ask("POST", path, content + rest);
    EXPECT_EQ(answer.status, 202) << answer.body;
    EXPECT_EQ(boost::json::parse(answer.body).at("reference").as_string(), "order-7");
  }
  for (const auto& job : accepted()) {
    EXPECT_EQ(job.reference, "order-7");
    EXPECT_EQ(job.payload, R"({"body":"b"})") << "it is not sent";
  }
  ASSERT_EQ(accepted().size(), 3u);
}

TEST_F(push_routes_test, refuses_a_reference_that_is_no_id) {
  for (const auto& wrong : {std::string{R"("")"}, std::string{"7"}, std::string{R"("a\nb")"},
                            '"' + std::string(129, 'r') + '"'})
    EXPECT_EQ(
      pointers(ask("POST", "/v1/users/u/send", R"({"body":"b","reference":)" + wrong + "}")),
      "/reference");
  EXPECT_EQ(
    ask("POST", "/v1/users/u/send", R"({"body":"b","reference":")" + std::string(128, 'r') + "\"}")
      .status,
    202);
}

TEST_F(push_routes_test, times_have_a_latest_one) {
  // The fixture's clock stands at 2026-01-31T12:00:00Z; a leap year is the bound.
  for (auto [body, pointer] :
       {std::pair{R"({"title":"t","scheduled_at":"2027-02-01T12:00:00Z"})", ""},
        std::pair{R"({"title":"t","scheduled_at":"2027-02-01T12:00:01Z"})", "/scheduled_at"},
        std::pair{R"({"title":"t","scheduled_at":"9999-01-01T00:00:00Z"})", "/scheduled_at"},
        std::pair{R"({"title":"t","expires_at":"2027-02-01T12:00:01Z"})", "/expires_at"},
        std::pair{R"({"title":"t","scheduled_at":"2026-12-01T00:00:00Z",
                      "expires_at":"2027-12-01T00:00:00Z"})",
                  ""}}) {
    auto answer = ask("POST", "/v1/users/u/send", body);
    ASSERT_EQ(answer.status, *pointer == '\0' ? 202 : 400) << body;
    if (*pointer != '\0') {
      EXPECT_EQ(pointers(answer), pointer);
      EXPECT_NE(answer.body.find("ingest.max-schedule"), answer.body.npos);
    }
  }
}

} // namespace

} // namespace signalbox::http
