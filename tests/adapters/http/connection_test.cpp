#include "adapters/http/connection.hpp"
#include "tests/adapters/http/server_fixture.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <optional>
#include <random>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace signalbox::http {

namespace {

using std::chrono::milliseconds;

class connection_test : public server_fixture {};

std::string post(const std::string& path, const std::string& body, const std::string& more = "") {
  return "POST " + path + " HTTP/1.1\r\nHost: a\r\n" + more +
         "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
}

TEST_F(connection_test, keeps_a_connection_for_many_requests) {
  serve();
  auto client = connect();
  for (int i = 0; i < 3; ++i) {
    auto answer = client.ask(post("/echo", "number " + std::to_string(i)));
    ASSERT_TRUE(answer);
    EXPECT_EQ(answer->status, 200);
    EXPECT_EQ(answer->body, "number " + std::to_string(i));
    EXPECT_EQ(answer->fields.count("connection"), 0u);
    EXPECT_EQ(answer->fields.count("date"), 1u);
  }
}

TEST_F(connection_test, closes_when_the_client_asks_for_it) {
  serve();
  auto client = connect();
  auto answer = client.ask("GET /ping HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->body, "pong");
  EXPECT_EQ(answer->fields["connection"], "close");
  EXPECT_TRUE(client.at_end());
  client.hang_up();
  EXPECT_TRUE(no_connection_left());
}

TEST_F(connection_test, http_1_0_closes_unless_kept) {
  serve();
  auto once = connect();
  ASSERT_EQ(once.ask("GET /ping HTTP/1.0\r\n\r\n")->body, "pong");
  EXPECT_TRUE(once.at_end());
  auto kept = connect();
  auto first = kept.ask("GET /ping HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
  ASSERT_TRUE(first);
  EXPECT_EQ(first->fields["connection"], "keep-alive");
  EXPECT_EQ(kept.ask("GET /ping HTTP/1.0\r\nConnection: keep-alive\r\n\r\n")->body, "pong");
}

TEST_F(connection_test, head_states_the_length_and_sends_no_body) {
  serve();
  auto client = connect();
  ASSERT_TRUE(client.send("HEAD /ping HTTP/1.1\r\nHost: a\r\n\r\n"));
  auto answer = client.receive(true);
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->status, 200);
  EXPECT_EQ(answer->fields["content-length"], "4");
  EXPECT_EQ(client.ask("GET /ping HTTP/1.1\r\nHost: a\r\n\r\n")->body, "pong");
}

TEST_F(connection_test, answers_a_thousand_pipelined_requests_in_order) {
  serve();
  auto client = connect();
  std::string all;
  for (int i = 0; i < 1000; ++i)
    all += post("/echo", "n" + std::to_string(i));
  std::thread sender{[&] { client.send(all); }};
  for (int i = 0; i < 1000; ++i) {
    auto answer = client.receive();
    ASSERT_TRUE(answer) << i;
    ASSERT_EQ(answer->body, "n" + std::to_string(i));
  }
  sender.join();
}

TEST_F(connection_test, keeps_the_order_when_answers_come_in_any_order_from_other_threads) {
  serve();
  auto client = connect();
  std::string all;
  for (int i = 0; i < 60; ++i)
    all += post("/held", std::to_string(i));
  ASSERT_TRUE(client.send(all));
  auto held = wait_for_held(60);
  ASSERT_EQ(held.size(), 60u);
  std::shuffle(held.begin(), held.end(), std::mt19937{7});
  std::vector<std::thread> threads;
  for (std::size_t t = 0; t < 3; ++t)
    threads.emplace_back([&, t] {
      for (std::size_t i = t; i < held.size(); i += 3)
        held[i].second.answer({.status = 202, .body = held[i].first});
    });
  for (auto& t : threads)
    t.join();
  for (int i = 0; i < 60; ++i) {
    auto answer = client.receive();
    ASSERT_TRUE(answer);
    ASSERT_EQ(answer->body, std::to_string(i));
  }
}

TEST_F(connection_test, answers_503_to_a_request_whose_handler_throws_and_goes_on) {
  serve();
  auto client = connect();
  for (int i = 0; i < 2; ++i) {
    auto answer = client.ask(post("/thrown", "x"));
    ASSERT_TRUE(answer);
    EXPECT_EQ(answer->status, 503);
  }
  EXPECT_EQ(client.ask(post("/echo", "on"))->body, "on");
}

TEST_F(connection_test, stops_reading_at_the_pipeline_limit) {
  serve({.max_pipelined = 4});
  auto client = connect();
  std::string all;
  for (int i = 0; i < 10; ++i)
    all += post("/held", std::to_string(i));
  ASSERT_TRUE(client.send(all));
  std::size_t answered = 0;
  while (answered < 10) {
    auto held = wait_for_held(std::min<std::size_t>(4, 10 - answered));
    ASSERT_LE(held.size(), 4u);
    for (auto& [body, to] : held) {
      EXPECT_EQ(body, std::to_string(answered++));
      to.answer({.body = body});
    }
    for (std::size_t i = 0; i < held.size(); ++i)
      ASSERT_TRUE(client.receive());
  }
}

TEST_F(connection_test, a_request_that_nobody_answers_gets_503) {
  serve();
  auto client = connect();
  auto answer = client.ask(post("/dropped", "x"));
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->status, 503);
  EXPECT_EQ(answer->fields["retry-after"], "1");
  EXPECT_EQ(answer->fields["content-type"], "application/problem+json");
  EXPECT_EQ(client.ask(post("/echo", "on"))->body, "on");
}

TEST_F(connection_test, answers_to_a_client_that_is_gone_are_dropped) {
  serve();
  auto client = connect();
  ASSERT_TRUE(client.send(post("/held", "x")));
  auto held = wait_for_held(1);
  ASSERT_EQ(held.size(), 1u);
  client.hang_up();
  held[0].second.answer({});
  EXPECT_TRUE(no_connection_left());
  EXPECT_TRUE(still_serves());
}

TEST_F(connection_test, a_half_closed_client_still_gets_its_answers) {
  serve();
  auto client = connect();
  ASSERT_TRUE(client.send(post("/held", "a") + post("/echo", "b")));
  client.end_sending();
  auto held = wait_for_held(1);
  ASSERT_EQ(held.size(), 1u);
  held[0].second.answer({.body = "a"});
  EXPECT_EQ(client.receive()->body, "a");
  EXPECT_EQ(client.receive()->body, "b");
  EXPECT_TRUE(client.at_end());
  EXPECT_TRUE(no_connection_left());
}

TEST_F(connection_test, reads_chunked_bodies) {
  serve();
  auto client = connect();
  ASSERT_TRUE(client.send("POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
                          "5\r\nhello\r\n6;ext=1\r\n world\r\n0\r\nX-Trailer: 1\r\n\r\n"));
  EXPECT_EQ(client.receive()->body, "hello world");
  EXPECT_EQ(client.ask(post("/echo", "next"))->body, "next");
}

TEST_F(connection_test, says_continue_before_the_body_and_after_earlier_answers) {
  serve();
  auto client = connect();
  ASSERT_TRUE(client.send(post("/held", "first") +
                          "POST /echo HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\n"
                          "Content-Length: 4\r\n\r\n"));
  auto held = wait_for_held(1);
  ASSERT_EQ(held.size(), 1u);
  held[0].second.answer({.body = "first"});
  EXPECT_EQ(client.receive()->body, "first");
  EXPECT_EQ(client.receive()->status, 100);
  EXPECT_EQ(client.ask("body")->body, "body");
}

TEST_F(connection_test, refuses_an_announced_body_over_the_limit_without_continue) {
  serve({.max_body = 10});
  auto client = connect();
  auto answer = client.ask("POST /echo HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\n"
                           "Content-Length: 11\r\n\r\n");
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->status, 413);
  EXPECT_TRUE(client.at_end());
  EXPECT_EQ(connect().ask(post("/echo", "0123456789"))->body, "0123456789");
}

TEST_F(connection_test, refuses_a_chunked_body_over_the_limit_while_it_comes) {
  serve({.max_body = 1000});
  auto client = connect();
  client.send("POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n");
  std::string chunk = "100\r\n" + std::string(256, 'x') + "\r\n";
  for (int i = 0; i < 5; ++i)
    client.send(chunk);
  auto answer = client.receive();
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->status, 413);
  EXPECT_TRUE(client.at_end());
  EXPECT_TRUE(still_serves());
}

TEST_F(connection_test, a_client_that_sends_on_still_hears_why_it_was_refused) {
  serve({.max_body = 1000, .linger_timeout = std::chrono::minutes{1}});
  auto client = connect();
  client.send("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 20000000\r\n\r\n");
  const std::string piece(1'000'000, 'x');
  for (int i = 0; i < 20; ++i)
    ASSERT_TRUE(client.send(piece)) << i;
  auto answer = client.receive();
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->status, 413);
}

TEST_F(connection_test, bounds_what_all_unfinished_bodies_hold) {
  serve({.max_body = 3000, .max_buffered_bodies = 1500});
  auto client = connect();
  auto answer = client.ask(post("/echo", std::string(2000, 'x')));
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->status, 503);
  EXPECT_EQ(connect().ask(post("/echo", std::string(1000, 'x')))->status, 200);
}

TEST_F(connection_test, a_method_or_path_that_is_not_there_costs_no_connection) {
  serve();
  auto client = connect();
  auto wrong_path = client.ask(post("/nowhere", "some body"));
  ASSERT_TRUE(wrong_path);
  EXPECT_EQ(wrong_path->status, 404);
  auto wrong_method = client.ask("DELETE /ping HTTP/1.1\r\nHost: a\r\n\r\n");
  ASSERT_TRUE(wrong_method);
  EXPECT_EQ(wrong_method->status, 405);
  EXPECT_EQ(wrong_method->fields["allow"], "GET, HEAD");
  EXPECT_EQ(client.ask("GET /items/a%20b%2Fc HTTP/1.1\r\nHost: a\r\n\r\n")->body, "a b/c");
}

TEST_F(connection_test, gives_up_on_a_header_that_comes_byte_by_byte) {
  serve({.header_timeout = milliseconds{200}, .linger_timeout = std::chrono::minutes{1}});
  auto client = connect();
  std::string head =
    "GET /ping HTTP/1.1\r\nHost: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
  std::size_t sent = 0;
  while (sent < head.size() && client.send(head.substr(sent, 1))) {
    ++sent;
    std::this_thread::sleep_for(milliseconds{20});
  }
  auto answer = client.receive();
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->status, 408);
  client.hang_up();
  EXPECT_TRUE(no_connection_left());
  EXPECT_TRUE(still_serves());
}

TEST_F(connection_test, gives_up_on_a_body_that_comes_byte_by_byte) {
  serve({.body_timeout = milliseconds{200}, .linger_timeout = std::chrono::minutes{1}});
  auto client = connect();
  ASSERT_TRUE(client.send("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n\r\n"));
  for (int i = 0; i < 40 && client.send("x"); ++i)
    std::this_thread::sleep_for(milliseconds{20});
  auto answer = client.receive();
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->status, 408);
  client.hang_up();
  EXPECT_TRUE(no_connection_left());
}

TEST_F(connection_test, gives_up_on_a_body_that_starts_fast_and_then_trickles) {
  serve({.body_timeout = milliseconds{100},
         .min_body_bytes = 1'000,
         .max_body_spans = 1'000'000,
         .linger_timeout = std::chrono::minutes{1}});
  constexpr std::size_t size = 500'000;
  constexpr std::size_t fast = 490'000;
  auto client = connect();
  ASSERT_TRUE(client.send("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: " +
                          std::to_string(size) + "\r\n\r\n" + std::string(fast, 'x')));
  for (auto sent = fast; sent < size && !client.is_readable(); ++sent) {
    ASSERT_TRUE(client.send("x"));
    std::this_thread::sleep_for(milliseconds{5}); // the pace of the trickle
  }
  auto answer = client.receive();
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->status, 408);
}

TEST_F(connection_test, closes_idle_connections) {
  serve({.idle_timeout = milliseconds{100}});
  auto silent = connect();
  EXPECT_TRUE(silent.at_end());
  EXPECT_TRUE(eventually([this] { // until a request comes in time
    auto used = connect();
    const auto answer = used.ask("GET /ping HTTP/1.1\r\nHost: a\r\n\r\n");
    return answer && answer->body == "pong" && used.at_end();
  }));
  EXPECT_TRUE(no_connection_left());
}

TEST_F(connection_test, an_idle_timeout_does_not_hit_a_request_under_way) {
  serve({.idle_timeout = milliseconds{50}});
  const auto is_held = [this] {
    std::lock_guard guard{mutex_};
    return !held_.empty();
  };
  std::optional<raw_client> client;
  ASSERT_TRUE(eventually([&] { // until a request comes in time
    client.emplace(connect());
    client->send(post("/held", "x"));
    return eventually([&] { return is_held() || client->is_closed(); }) && is_held();
  }));
  auto held = wait_for_held(1);
  ASSERT_EQ(held.size(), 1u);
  std::this_thread::sleep_for(milliseconds{300});
  held[0].second.answer({.body = "late"});
  auto answer = client->receive();
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->body, "late");
}

TEST_F(connection_test, a_client_that_takes_nothing_is_closed) {
  serve({.idle_timeout = milliseconds{200}});
  auto client = connect();
  auto big = post("/echo", std::string(1'000'000, 'x'));
  for (int i = 0; i < 60 && client.send(big); ++i) {
  }
  EXPECT_TRUE(no_connection_left());
}

TEST_F(connection_test, a_client_that_hangs_up_mid_body_leaves_nothing) {
  serve();
  for (int i = 0; i < 50; ++i) {
    auto client = connect();
    client.send("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n\r\npart");
  }
  EXPECT_TRUE(no_connection_left());
  EXPECT_TRUE(still_serves());
}

TEST_F(connection_test, a_half_closed_client_hears_that_its_request_is_incomplete) {
  serve();
  auto client = connect();
  client.send(post("/echo", "whole") +
              "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\npart");
  client.end_sending();
  EXPECT_EQ(client.receive()->body, "whole");
  auto answer = client.receive();
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->status, 400);
  EXPECT_TRUE(client.at_end());
  EXPECT_TRUE(no_connection_left());
}

TEST_F(connection_test, refuses_pages_of_other_origins) {
  serve();
  auto client = connect();
  EXPECT_EQ(client.ask(post("/echo", "x", "Origin: http://evil.example\r\n"))->status, 403);
  EXPECT_EQ(connect().ask(post("/echo", "x", "Origin: http://a\r\n"))->status, 200);
}

TEST_F(connection_test, refuses_what_a_browser_says_comes_from_elsewhere) {
  serve();
  for (auto [site, status] : {std::pair{"cross-site", 403}, std::pair{"same-site", 403},
                              std::pair{"same-origin", 200}, std::pair{"none", 200}})
    EXPECT_EQ(
      connect().ask(post("/echo", "x", std::string{"Sec-Fetch-Site: "} + site + "\r\n"))->status,
      status)
      << site;
  EXPECT_EQ(
    connect().ask("GET /ping HTTP/1.1\r\nHost: a\r\nSec-Fetch-Site: cross-site\r\n\r\n")->status,
    200);
}

TEST_F(connection_test, a_full_pool_ends_the_body_that_takes_most_of_it) {
  serve({.max_body = 1'000'000, .max_buffered_bodies = 1'000'000});
  const std::string head = "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 900000\r\n\r\n";
  auto large = connect();
  ASSERT_TRUE(large.send(head + std::string(800'000, 'x')));
  auto small = connect();
  ASSERT_TRUE(small.send(head + std::string(100'000, 'x')));
  // Whoever sends now has its whole body taken, and the small one still has its place.
  EXPECT_EQ(connect().ask(post("/echo", std::string(500'000, 'y')))->status, 200);
  auto answer = large.receive();
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->status, 503);
  EXPECT_EQ(answer->fields["retry-after"], "1");
  EXPECT_TRUE(large.at_end());
  EXPECT_EQ(small.ask(std::string(800'000, 'x'))->status, 200);
}

TEST_F(connection_test, large_bodies_count_until_they_are_answered) {
  serve({.max_buffered_bodies = 100'000});
  auto first = connect();
  ASSERT_TRUE(first.send(post("/held", std::string(60'000, 'x'))));
  auto held = wait_for_held(1);
  ASSERT_EQ(held.size(), 1u);
  first.hang_up(); // the work goes on
  EXPECT_EQ(connect().ask(post("/echo", std::string(60'000, 'x')))->status, 503);
  EXPECT_EQ(connect().ask(post("/echo", std::string(16'000, 'x')))->status, 200);
  held[0].second.answer({});
  EXPECT_EQ(connect().ask(post("/echo", std::string(60'000, 'x')))->status, 200);
}

TEST_F(connection_test, a_body_must_end_however_steadily_it_comes) {
  serve({.body_timeout = milliseconds{50}, .min_body_bytes = 1, .max_body_spans = 4});
  auto client = connect();
  ASSERT_TRUE(client.send("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000\r\n\r\n"));
  ASSERT_TRUE(eventually([&] { return !client.send("x") || client.is_readable(); }));
  auto answer = client.receive();
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->status, 408);
}

TEST_F(connection_test, clients_that_take_no_answers_are_closed_when_they_hold_too_many) {
  serve({.max_body = 16'000'000, .max_unsent_answers = 1'000'000});
  auto idle = connect();
  ASSERT_TRUE(idle.send(post("/echo", std::string(15'000'000, 'x'))));
  // What the sockets hold is not the node's; what is beyond is given up.
  EXPECT_TRUE(no_connection_left());
  EXPECT_TRUE(still_serves());
}

TEST_F(connection_test, streams_a_body_larger_than_every_limit) {
  serve({.max_body = 10, .max_buffered_bodies = 10});
  auto client = connect();
  std::string body(3'000'000, 'x');
  std::thread sender{[&] { client.send(post("/stream", body, "Content-Type: text/plain\r\n")); }};
  auto answer = client.receive();
  sender.join();
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->body, "3000000");
  EXPECT_TRUE(log_.ended);
  EXPECT_EQ(client.ask(post("/echo", "on"))->body, "on");
}

TEST_F(connection_test, tells_a_stream_that_its_client_is_gone) {
  serve();
  auto client = connect();
  client.send("POST /stream HTTP/1.1\r\nHost: a\r\nContent-Type: text/plain\r\n"
              "Content-Length: 1000\r\n\r\npart");
  ASSERT_TRUE(eventually([&] {
    std::lock_guard guard{log_.mutex};
    return log_.text == "part";
  }));
  client.hang_up();
  EXPECT_TRUE(eventually([&] {
    std::lock_guard guard{log_.mutex};
    return log_.aborted;
  }));
  EXPECT_FALSE(log_.ended);
  EXPECT_TRUE(no_connection_left());
}

/// Takes one piece, then nothing until the test lets it go on.
class pausing_sink : public body_sink {
public:
  pausing_sink(stream_log& log, responder to) : log_(log), to_(std::move(to)) {}
  bool on_piece(std::string_view piece) override {
    std::lock_guard guard{log_.mutex};
    log_.text += piece;
    return false;
  }
  void on_end() override { to_.answer({.content_type = "text/plain", .body = "done"}); }
  void on_abort() override {}

private:
  stream_log& log_;
  responder to_;
};

class paused_stream_test : public server_fixture {
protected:
  std::shared_ptr<body_sink> open_stream(responder to, body_flow flow) override {
    flow_ = std::make_unique<body_flow>(std::move(flow));
    return std::make_shared<pausing_sink>(log_, std::move(to));
  }

  std::size_t taken() {
    std::lock_guard guard{log_.mutex};
    return log_.text.size();
  }

  std::unique_ptr<body_flow> flow_;
};

TEST_F(paused_stream_test, reads_no_faster_than_the_sink_asks) {
  serve();
  auto client = connect();
  const std::size_t size = 2'000'000;
  std::thread sender{
    [&] { client.send(post("/stream", std::string(size, 'x'), "Content-Type: text/plain\r\n")); }};
  ASSERT_TRUE(eventually([&] { return taken() > 0; }));
  auto before = taken();
  EXPECT_LE(before, 100'000u);
  while (taken() < size) {
    before = taken();
    flow_->resume();
    ASSERT_TRUE(eventually([&] { return taken() > before; }));
    EXPECT_LE(taken() - before, 100'000u);
  }
  flow_->resume();
  EXPECT_EQ(client.receive()->body, "done");
  sender.join();
}

TEST_F(paused_stream_test, a_body_that_is_not_read_is_not_late) {
  serve({.body_timeout = milliseconds{50}});
  auto client = connect();
  ASSERT_TRUE(client.send("POST /stream HTTP/1.1\r\nHost: a\r\nContent-Type: text/plain\r\n"
                          "Content-Length: 8\r\n\r\npart"));
  ASSERT_TRUE(eventually([&] { return taken() == 4; }));
  ASSERT_TRUE(client.send("rest"));
  std::this_thread::sleep_for(milliseconds{200}); // longer than the timeout
  flow_->resume();
  ASSERT_TRUE(eventually([&] { return taken() == 8; }));
  EXPECT_EQ(client.receive()->body, "done");
}

/// Answers at the first piece.
class refusing_sink : public body_sink {
public:
  explicit refusing_sink(responder to) : to_(std::move(to)) {}
  bool on_piece(std::string_view) override {
    to_.answer({.status = 400});
    return true;
  }
  void on_end() override {}
  void on_abort() override {}

private:
  responder to_;
};

class refused_stream_test : public server_fixture {
protected:
  std::shared_ptr<body_sink> open_stream(responder to, body_flow) override {
    return std::make_shared<refusing_sink>(std::move(to));
  }
};

TEST_F(refused_stream_test, an_answer_before_the_end_closes_the_connection) {
  serve();
  auto client = connect();
  client.send("POST /stream HTTP/1.1\r\nHost: a\r\nContent-Type: text/plain\r\n"
              "Content-Length: 1000\r\n\r\npart");
  auto answer = client.receive();
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->status, 400);
  EXPECT_EQ(answer->fields["connection"], "close");
  EXPECT_TRUE(client.at_end());
  client.hang_up();
  EXPECT_TRUE(no_connection_left());
}

} // namespace

} // namespace signalbox::http
