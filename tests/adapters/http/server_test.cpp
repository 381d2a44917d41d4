#include "adapters/http/server.hpp"
#include "tests/adapters/http/server_fixture.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <sys/resource.h>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

namespace signalbox::http {

namespace {

class server_test : public server_fixture {};

constexpr std::string_view ping = "GET /ping HTTP/1.1\r\nHost: a\r\n\r\n";

TEST_F(server_test, names_the_address_it_cannot_listen_on) {
  serve();
  server second{{.port = server_->port()}, router{}};
  try {
    second.start();
    FAIL() << "two servers on one port";
  } catch (const std::system_error& e) {
    EXPECT_NE(std::string{e.what()}.find("127.0.0.1 port " + std::to_string(server_->port())),
              std::string::npos)
      << e.what();
  }
}

TEST_F(server_test, serves_on_several_threads) {
  serve({.threads = 3});
  for (int i = 0; i < 6; ++i)
    EXPECT_TRUE(still_serves());
}

TEST_F(server_test, refuses_connections_over_the_limit_and_serves_again_below_it) {
  serve({.max_connections = 2});
  auto first = connect();
  auto second = connect();
  EXPECT_EQ(first.ask(ping)->status, 200);
  EXPECT_EQ(second.ask(ping)->status, 200);
  auto third = connect();
  auto refused = third.receive();
  ASSERT_TRUE(refused);
  EXPECT_EQ(refused->status, 503);
  EXPECT_EQ(refused->fields["retry-after"], "1");
  EXPECT_TRUE(third.at_end());
  third.hang_up();
  first.hang_up();
  EXPECT_TRUE(eventually([this] { return still_serves(); }));
  EXPECT_EQ(second.ask(ping)->status, 200);
}

TEST_F(server_test, holds_two_thousand_connections) {
  rlimit files{};
  ::getrlimit(RLIMIT_NOFILE, &files);
  files.rlim_cur = std::min<rlim_t>(files.rlim_max, 8192);
  ::setrlimit(RLIMIT_NOFILE, &files);
  // Both ends are in this process. Where it may not open that many, it opens what it may.
  auto count = std::min<std::size_t>(2000, (files.rlim_cur - 100) / 2);
  serve();
  std::vector<raw_client> clients;
  for (std::size_t i = 0; i < count; ++i) {
    clients.push_back(connect());
    ASSERT_TRUE(clients.back().connected()) << i;
  }
  for (auto& client : clients)
    ASSERT_TRUE(client.send(ping));
  for (auto& client : clients) {
    auto answer = client.receive();
    ASSERT_TRUE(answer);
    ASSERT_EQ(answer->body, "pong");
  }
  EXPECT_EQ(server_->connections(), count);
  clients.clear();
  EXPECT_TRUE(no_connection_left());
}

TEST_F(server_test, draining_finishes_what_is_under_way_and_closes) {
  serve();
  auto idle = connect();
  ASSERT_EQ(idle.ask(ping)->status, 200);
  auto busy = connect();
  ASSERT_TRUE(busy.send("POST /held HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\nx"));
  auto held = wait_for_held(1);
  ASSERT_EQ(held.size(), 1u);
  server_->drain();
  EXPECT_TRUE(idle.at_end());
  held[0].second.answer({.status = 202, .body = "kept"});
  auto answer = busy.receive();
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->body, "kept");
  EXPECT_EQ(answer->fields["connection"], "close");
  EXPECT_TRUE(busy.at_end());
  EXPECT_TRUE(no_connection_left());
  EXPECT_TRUE(eventually([this] { return !connect().connected(); }));
}

TEST_F(server_test, stops_with_requests_under_way) {
  serve({.threads = 2});
  auto client = connect();
  ASSERT_TRUE(client.send("POST /held HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\nx"));
  auto held = wait_for_held(1);
  ASSERT_EQ(held.size(), 1u);
  server_->stop();
  EXPECT_FALSE(client.receive());
  server_.reset();
  held[0].second.answer({}); // a responder outlives its server
}

} // namespace

} // namespace signalbox::http
