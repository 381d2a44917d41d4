// Routes of live events, with an actor of the test in the broadcaster's place.

#include "tests/adapters/http/api_fixture.hpp"

#include <functional>

namespace signalbox::http {
namespace {

/// What the actor in the broadcaster's place does with requests.
struct reaction {
  std::mutex mutex;
  std::function<void(watch_request&)> to_next;
  int seen = 0;
};

class event_routes_test : public api_fixture {
protected:
  void SetUp() override {
    const auto stand_in = [](caf::event_based_actor*,
                             const std::shared_ptr<reaction>& how) -> caf::behavior {
      return {[how](watch_request& request) {
        std::lock_guard lock{how->mutex};
        how->to_next(request);
        ++how->seen;
      }};
    };
    door_.update(caf::actor_cast<broadcaster>(actors_.spawn(stand_in, how_)));
    serve();
  }

  raw_client connect() { return raw_client{server_->port()}; }

  void react_by(std::function<void(watch_request&)> how) {
    std::lock_guard lock{how_->mutex};
    how_->to_next = std::move(how);
  }

  int seen() {
    std::lock_guard lock{how_->mutex};
    return how_->seen;
  }

  static live_event event(std::string text, bool final = false) {
    return {"a", final, false, std::make_shared<const std::string>(std::move(text))};
  }

  std::shared_ptr<reaction> how_ = std::make_shared<reaction>();
  std::shared_ptr<subscription_counters> counters_ = std::make_shared<subscription_counters>();
};

TEST_F(event_routes_test, events_leave_as_they_come) {
  const auto events = std::make_shared<subscription>(1'000, counters_);
  events->push(event("data: 1\n\n"));
  react_by([&](watch_request& request) {
    EXPECT_EQ(request.scope, watch_scope::node);
    EXPECT_EQ(request.last_event, "run-7");
    request.reply->opened(events);
  });
  auto client = connect();
  ASSERT_TRUE(client.send("GET /v1/events HTTP/1.1\r\nHost: a\r\nLast-Event-ID: run-7\r\n\r\n"));
  const auto head = client.receive();
  ASSERT_TRUE(head);
  EXPECT_EQ(head->status, 200);
  EXPECT_EQ(head->fields.at("content-type"), "text/event-stream");
  EXPECT_EQ(head->fields.at("cache-control"), "no-store");
  EXPECT_EQ(head->fields.at("x-accel-buffering"), "no");
  auto chunk = client.take(std::string{"1a\r\nretry: 1234\n\ndata: 1\n\n\r\n"}.size());
  EXPECT_NE(chunk.find("retry: "), chunk.npos);
  EXPECT_NE(chunk.find("\n\ndata: 1\n\n\r\n"), chunk.npos);
  events->push(event("data: 2\n\n"));
  EXPECT_EQ(client.take(14), "9\r\ndata: 2\n\n\r\n");
  events->finish();
  EXPECT_EQ(client.take(5), "0\r\n\r\n");
  EXPECT_TRUE(client.at_end());
}

TEST_F(event_routes_test, a_job_and_an_activity_have_streams_of_their_own) {
  const auto id = make_uuid_v7(timestamp{});
  react_by([&](watch_request& request) {
    EXPECT_EQ(request.scope, watch_scope::job);
    EXPECT_EQ(request.job, id);
    request.reply->refused(errc::not_found, "no such job");
  });
  auto client = connect();
  EXPECT_EQ(
    client.ask("GET /v1/notifications/" + id.to_string() + "/events HTTP/1.1\r\nHost: a\r\n\r\n")
      ->status,
    404);
  react_by([](watch_request& request) {
    EXPECT_EQ(request.scope, watch_scope::activity);
    EXPECT_EQ(request.activity, "match-1");
    request.reply->nothing_more();
  });
  EXPECT_EQ(
    client.ask("GET /v1/live-activity/jobs/match-1/events HTTP/1.1\r\nHost: a\r\n\r\n")->status,
    204);
  EXPECT_EQ(seen(), 2);
}

TEST_F(event_routes_test, a_request_that_nobody_takes_is_answered_503) {
  react_by([](watch_request&) {});
  auto client = connect();
  EXPECT_EQ(client.ask("GET /v1/events HTTP/1.1\r\nHost: a\r\n\r\n")->status, 503);
  door_.update(broadcaster{});
  EXPECT_EQ(client.ask("GET /v1/events HTTP/1.1\r\nHost: a\r\n\r\n")->status, 503);
}

TEST_F(event_routes_test, a_client_that_is_gone_is_unsubscribed) {
  const auto events = std::make_shared<subscription>(1'000, counters_);
  react_by([&](watch_request& request) { request.reply->opened(events); });
  {
    auto client = connect();
    ASSERT_TRUE(client.ask("GET /v1/events HTTP/1.1\r\nHost: a\r\n\r\n"));
  }
  EXPECT_TRUE(eventually([&] { return !events->push(event("x")); }));
}

TEST_F(event_routes_test, refuses_what_is_no_id) {
  auto client = connect();
  EXPECT_EQ(client.ask("GET /v1/notifications/x/events HTTP/1.1\r\nHost: a\r\n\r\n")->status, 404);
  EXPECT_EQ(client.ask("GET /v1/live-activity/jobs/%01/events HTTP/1.1\r\nHost: a\r\n\r\n")->status,
            400);
  EXPECT_EQ(client.ask("GET /v1/events?x=1 HTTP/1.1\r\nHost: a\r\n\r\n")->status, 400);
}

} // namespace
} // namespace signalbox::http
