// Answers whose bodies go on: what a connection takes from them, and when.

#include "tests/adapters/http/server_fixture.hpp"

#include <atomic>
#include <deque>

namespace signalbox::http {

namespace {

constexpr std::string_view ask = "GET /events HTTP/1.1\r\nHost: a\r\n\r\n";

/// What the test has for a client, and what the connection did with it.
struct script {
  void say(std::string piece) {
    std::function<void()> ready_now;
    {
      std::lock_guard guard{mutex};
      pieces.push_back(std::move(piece));
      ready_now = ready;
    }
    if (ready_now)
      ready_now();
  }

  std::mutex mutex;
  std::deque<std::string> pieces; ///< an empty one is the end
  std::function<void()> ready;
  std::atomic<bool> begun{false};
  std::atomic<bool> gone{false};
  std::atomic<std::size_t> taken{0};
};

class scripted_stream : public body_stream {
public:
  explicit scripted_stream(std::shared_ptr<script> of) : of_{std::move(of)} {}
  ~scripted_stream() override { of_->gone = true; }

  void begin(std::function<void()> ready) override {
    std::lock_guard guard{of_->mutex};
    of_->ready = std::move(ready);
    of_->begun = true;
  }

  bool next(std::size_t room, std::string& out) override {
    std::lock_guard guard{of_->mutex};
    while (!of_->pieces.empty() && out.size() < room) {
      const auto piece = std::move(of_->pieces.front());
      of_->pieces.pop_front();
      if (piece.empty())
        return false;
      out += piece;
      of_->taken += piece.size();
    }
    return true;
  }

private:
  std::shared_ptr<script> of_;
};

class body_stream_test : public server_fixture {
protected:
  void add_routes(router& routes) override {
    routes.add(
      {.method = verb::get, .pattern = "/events", .handle = [this](request&, responder to) {
         to.answer({.content_type = "text/event-stream",
                    .stream = std::make_shared<scripted_stream>(script_)});
       }});
  }

  std::shared_ptr<script> script_ = std::make_shared<script>();
};

TEST_F(body_stream_test, leaves_in_chunks_as_it_comes) {
  serve();
  script_->say("one\n");
  auto client = connect();
  const auto head = client.ask(ask);
  ASSERT_TRUE(head);
  EXPECT_EQ(head->fields.at("transfer-encoding"), "chunked");
  EXPECT_EQ(head->fields.at("connection"), "close");
  EXPECT_EQ(head->fields.at("content-type"), "text/event-stream");
  EXPECT_EQ(head->fields.count("content-length"), 0U);
  EXPECT_EQ(client.take(9), "4\r\none\n\r\n");
  script_->say(std::string(26, 'x'));
  EXPECT_EQ(client.take(32), "1a\r\n" + std::string(26, 'x') + "\r\n");
  script_->say("");
  EXPECT_EQ(client.take(5), "0\r\n\r\n");
  EXPECT_TRUE(client.at_end());
  EXPECT_TRUE(script_->gone);
}

TEST_F(body_stream_test, ends_with_the_connection_where_there_are_no_chunks) {
  serve();
  auto client = connect();
  const auto head = client.ask("GET /events HTTP/1.0\r\n\r\n");
  ASSERT_TRUE(head);
  EXPECT_EQ(head->fields.count("transfer-encoding"), 0U);
  script_->say("one\n");
  EXPECT_EQ(client.take(4), "one\n");
  script_->say("");
  EXPECT_TRUE(client.at_end());
}

TEST_F(body_stream_test, has_only_a_head_for_head) {
  serve();
  auto client = connect();
  ASSERT_TRUE(client.send("HEAD /events HTTP/1.1\r\nHost: a\r\n\r\n"));
  const auto head = client.receive(true);
  ASSERT_TRUE(head);
  EXPECT_EQ(head->status, 200);
  EXPECT_TRUE(client.at_end());
  EXPECT_FALSE(script_->begun);
  EXPECT_TRUE(script_->gone);
}

TEST_F(body_stream_test, ends_when_its_client_is_gone) {
  serve();
  auto client = connect();
  ASSERT_TRUE(client.ask(ask));
  EXPECT_FALSE(script_->gone);
  client.hang_up();
  EXPECT_TRUE(eventually([this] { return script_->gone.load(); }));
  EXPECT_TRUE(no_connection_left());
  script_->say("to nobody\n");
}

TEST_F(body_stream_test, what_the_client_has_not_taken_stays_where_it_is) {
  serve({.idle_timeout = std::chrono::hours{1}});
  constexpr std::size_t pieces = 20'000;
  for (std::size_t i = 0; i < pieces; ++i)
    script_->say(std::string(1'000, 'x'));
  auto client = connect();
  ASSERT_TRUE(client.ask(ask));
  // The system's own buffers take some; the next turn begins when the connection asks no more.
  ASSERT_TRUE(still_serves());
  EXPECT_LT(script_->taken, pieces * 1'000);
  script_->say("");
  std::size_t read = 0;
  while (const auto size = client.take(100'000).size())
    read += size;
  EXPECT_GT(read, pieces * 1'000);
}

TEST_F(body_stream_test, a_silent_one_is_not_idle_but_one_that_is_not_taken_is) {
  serve({.idle_timeout = std::chrono::milliseconds{100}});
  auto patient = connect();
  ASSERT_TRUE(patient.ask(ask));
  auto other = connect(); // by its end we know that the time has passed
  EXPECT_TRUE(other.at_end());
  script_->say("there\n");
  EXPECT_EQ(patient.take(11), "6\r\nthere\n\r\n");
  for (int i = 0; i < 20'000; ++i)
    script_->say(std::string(1'000, 'x'));
  EXPECT_TRUE(eventually([this] { return script_->gone.load(); }));
}

TEST_F(body_stream_test, goes_on_while_the_server_drains) {
  serve();
  auto client = connect();
  ASSERT_TRUE(client.ask(ask));
  auto idle = connect();
  ASSERT_TRUE(idle.ask("GET /ping HTTP/1.1\r\nHost: a\r\n\r\n"));
  server_->drain();
  EXPECT_TRUE(idle.at_end());
  script_->say("last\n");
  script_->say("");
  EXPECT_EQ(client.take(15), "5\r\nlast\n\r\n0\r\n\r\n");
  EXPECT_TRUE(client.at_end());
}

TEST_F(body_stream_test, nothing_is_answered_after_it) {
  serve();
  auto client = connect();
  ASSERT_TRUE(client.send(std::string{ask} + "GET /ping HTTP/1.1\r\nHost: a\r\n\r\n"));
  ASSERT_TRUE(client.receive());
  ASSERT_TRUE(client.send("GET /ping HTTP/1.1\r\nHost: a\r\n\r\n"));
  script_->say("");
  EXPECT_EQ(client.take(100), "0\r\n\r\n");
}

TEST_F(body_stream_test, ends_with_the_server) {
  serve();
  auto client = connect();
  ASSERT_TRUE(client.ask(ask));
  server_->stop();
  EXPECT_TRUE(script_->gone);
  EXPECT_TRUE(client.at_end());
  script_->say("to nobody\n");
}

} // namespace

} // namespace signalbox::http
