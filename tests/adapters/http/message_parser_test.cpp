#include "adapters/http/message_parser.hpp"
#include "tests/adapters/http/server_fixture.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <cstdlib>
#include <ostream>
#include <random>
#include <string>
#include <thread>

namespace signalbox::http {

namespace {

/// A malformed message, and the status that refuses it.
struct bad_message {
  const char* what;
  std::string text;
  int status;

  friend std::ostream& operator<<(std::ostream& out, const bad_message& one) {
    return out << one.what;
  }
};

class malformed_message : public server_fixture,
                          public ::testing::WithParamInterface<bad_message> {};

TEST_P(malformed_message, is_refused_and_the_connection_closed) {
  serve();
  auto client = connect();
  // What a smuggled request would be: it must never be answered.
  client.send(GetParam().text + "GET /ping HTTP/1.1\r\nHost: a\r\n\r\n");
  auto answer = client.receive();
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->status, GetParam().status) << answer->body;
  EXPECT_EQ(answer->fields["content-type"], "application/problem+json");
  EXPECT_EQ(answer->fields["connection"], "close");
  EXPECT_TRUE(client.at_end());
  EXPECT_TRUE(still_serves());
}

std::string post_with(const std::string& fields, const std::string& body) {
  return "POST /echo HTTP/1.1\r\nHost: a\r\n" + fields + "\r\n" + body;
}

INSTANTIATE_TEST_SUITE_P(
  all, malformed_message,
  ::testing::Values(
    bad_message{"both_lengths",
                post_with("Content-Length: 5\r\nTransfer-Encoding: chunked\r\n", "0\r\n\r\n"), 400},
    bad_message{"both_lengths_reversed",
                post_with("Transfer-Encoding: chunked\r\nContent-Length: 5\r\n", "0\r\n\r\n"), 400},
    bad_message{"two_lengths", post_with("Content-Length: 5\r\nContent-Length: 6\r\n", "hello"),
                400},
    bad_message{"repeated_length", post_with("Content-Length: 5\r\nContent-Length: 5\r\n", "hello"),
                400},
    bad_message{"length_list", post_with("Content-Length: 5, 5\r\n", "hello"), 400},
    bad_message{"signed_length", post_with("Content-Length: +5\r\n", "hello"), 400},
    bad_message{"huge_length", post_with("Content-Length: 99999999999999999999\r\n", ""), 400},
    bad_message{"two_codings", post_with("Transfer-Encoding: gzip, chunked\r\n", "0\r\n\r\n"), 501},
    bad_message{"unknown_coding", post_with("Transfer-Encoding: xchunked\r\n", "0\r\n\r\n"), 501},
    bad_message{
      "coding_twice",
      post_with("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n", "0\r\n\r\n"), 400},
    bad_message{"coding_in_1_0",
                "POST /echo HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400},
    bad_message{"folded_field", post_with("X-A: one\r\n two\r\n", ""), 400},
    bad_message{"folded_empty_field", post_with("X-A:\r\n two\r\n", ""), 400},
    bad_message{"space_before_colon", post_with("Content-Length : 5\r\n", "hello"), 400},
    bad_message{"bare_line_feed", "GET /ping HTTP/1.1\nHost: a\n\n", 400},
    bad_message{"bare_carriage_return", post_with("X-A: a\rb\r\n", ""), 400},
    bad_message{"nul_in_value", post_with(std::string{"X-A: a\0b\r\n", 10}, ""), 400},
    bad_message{"no_host", "GET /ping HTTP/1.1\r\n\r\n", 400},
    bad_message{"two_hosts", "GET /ping HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", 400},
    bad_message{"other_version", "GET /ping HTTP/2.0\r\nHost: a\r\n\r\n", 400},
    bad_message{"no_version", "GET /ping\r\n\r\n", 400},
    bad_message{"asterisk", "OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n", 400},
    bad_message{"tunnel", "CONNECT a:1 HTTP/1.1\r\nHost: a\r\n\r\n", 400},
    bad_message{"unknown_method", "FROB /ping HTTP/1.1\r\nHost: a\r\n\r\n", 501},
    bad_message{"fragment", "GET /ping#x HTTP/1.1\r\nHost: a\r\n\r\n", 400},
    bad_message{"byte_above_ascii", "GET /items/\xC3\xBC HTTP/1.1\r\nHost: a\r\n\r\n", 400},
    bad_message{"byte_above_ascii_in_query", "GET /ping?\xFF HTTP/1.1\r\nHost: a\r\n\r\n", 400},
    bad_message{"backslash", "GET /items\\a HTTP/1.1\r\nHost: a\r\n\r\n", 400},
    bad_message{"delete_byte", "GET /items/\x7F HTTP/1.1\r\nHost: a\r\n\r\n", 400},
    bad_message{"tab_in_target", "GET /items/\t HTTP/1.1\r\nHost: a\r\n\r\n", 400},
    bad_message{"user_in_host", "GET /ping HTTP/1.1\r\nHost: b@a\r\n\r\n", 400},
    bad_message{"empty_host", "GET /ping HTTP/1.1\r\nHost:\r\n\r\n", 400},
    bad_message{"other_host", "GET /ping HTTP/1.1\r\nHost: b\r\n\r\n", 421},
    bad_message{"other_host_in_1_0", "GET /ping HTTP/1.0\r\nHost: b\r\n\r\n", 421},
    bad_message{"other_host_of_no_route", "GET /none HTTP/1.1\r\nHost: b\r\n\r\n", 421},
    bad_message{"other_authority", "GET http://b/ping HTTP/1.1\r\nHost: a\r\n\r\n", 421},
    bad_message{"user_in_authority", "GET http://c@a/ping HTTP/1.1\r\nHost: a\r\n\r\n", 400},
    bad_message{"no_length_of_a_stream",
                "POST /stream HTTP/1.1\r\nHost: a\r\nContent-Type: text/plain\r\n\r\n", 411},
    bad_message{"no_length_of_a_stream_in_1_0",
                "POST /stream HTTP/1.0\r\nContent-Type: text/plain\r\n\r\n", 411},
    bad_message{"unknown_parameter_of_a_stream",
                "POST /stream?a=1 HTTP/1.1\r\nHost: a\r\nContent-Type: text/plain\r\n"
                "Content-Length: 1\r\n\r\nx",
                400},
    bad_message{"broken_escape", "GET /items/%zz HTTP/1.1\r\nHost: a\r\n\r\n", 400},
    bad_message{"bad_chunk_size", post_with("Transfer-Encoding: chunked\r\n", "xyz\r\n"), 400},
    bad_message{"huge_chunk_size",
                post_with("Transfer-Encoding: chunked\r\n", "fffffffffffffffff\r\n"), 400},
    bad_message{"long_chunk_extension",
                post_with("Transfer-Encoding: chunked\r\n", "5;" + std::string(200'000, 'a')), 431},
    bad_message{"chunk_longer_than_said",
                post_with("Transfer-Encoding: chunked\r\n", "3\r\nhello\r\n0\r\n\r\n"), 400},
    bad_message{"other_expectation", post_with("Expect: wonders\r\nContent-Length: 0\r\n", ""),
                417},
    bad_message{"compressed", post_with("Content-Encoding: gzip\r\nContent-Length: 5\r\n", "hello"),
                415},
    bad_message{"long_field", post_with("X-A: " + std::string(40'000, 'a') + "\r\n", ""), 431},
    bad_message{"many_fields",
                [] {
                  std::string fields;
                  for (int i = 0; i < 200; ++i)
                    fields += "X-A: 1\r\n";
                  return post_with(fields, "");
                }(),
                431},
    bad_message{"tls_client_hello", std::string{"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", 11},
                400}),
  [](const auto& info) { return std::string{info.param.what}; });

class message_parser_test : public server_fixture {};

TEST_F(message_parser_test, takes_an_absolute_target_and_empty_lines_before_a_request) {
  serve();
  auto client = connect();
  EXPECT_EQ(client.ask("GET http://a/ping? HTTP/1.1\r\nHost: a\r\n\r\n")->body, "pong");
  EXPECT_EQ(client.ask("\r\n\r\nGET /ping/ HTTP/1.1\r\nHost: a\r\n\r\n")->body, "pong");
}

TEST_F(message_parser_test, takes_a_request_split_at_any_byte) {
  serve();
  std::string text = "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
                     "3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n";
  for (std::size_t at = 1; at < text.size(); ++at) {
    auto client = connect();
    client.send(text.substr(0, at));
    std::this_thread::sleep_for(std::chrono::milliseconds{1});
    auto answer = client.ask(text.substr(at));
    ASSERT_TRUE(answer) << at;
    ASSERT_EQ(answer->body, "abcde") << at;
  }
}

TEST_F(message_parser_test, a_header_may_not_grow_without_end_field_by_field) {
  serve();
  auto client = connect();
  client.send("GET /ping HTTP/1.1\r\nHost: a\r\n");
  std::string field = "X-A: " + std::string(900, 'a') + "\r\n";
  for (int i = 0; i < 40 && client.send(field); ++i)
    std::this_thread::sleep_for(std::chrono::milliseconds{2}); // so that each is read by itself
  auto answer = client.receive();
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->status, 431);
}

TEST_F(message_parser_test, survives_mutated_requests) {
  serve();
  const std::string text = "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
                           "3;x=\"y\"\r\nabc\r\n0\r\nX-T: 1\r\n\r\n"
                           "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n"
                           "Expect: 100-continue\r\nConnection: keep-alive\r\n\r\nhello";
  const auto* given = std::getenv("SIGNALBOX_SEED");
  const auto seed = given ? static_cast<unsigned>(std::strtoul(given, nullptr, 10)) : 1u;
  SCOPED_TRACE("SIGNALBOX_SEED=" + std::to_string(seed));
  std::mt19937 random{seed};
  for (int round = 0; round < 500; ++round) {
    auto mutant = text;
    for (auto edits = 1 + random() % 4; edits > 0; --edits) {
      auto at = random() % mutant.size();
      switch (random() % 4) {
      case 0:
        mutant[at] = static_cast<char>(random());
        break;
      case 1:
        mutant.erase(at, 1 + random() % 8);
        break;
      case 2:
        mutant.insert(at, 1, "\r\n :;0,\t\0"[random() % 9]);
        break;
      default:
        mutant.insert(at, mutant.substr(random() % mutant.size(), random() % 30));
      }
    }
    auto client = connect();
    client.send(mutant);
    client.end_sending();
    while (auto answer = client.receive())
      ASSERT_TRUE(answer->status >= 100 && answer->status < 600);
  }
  EXPECT_TRUE(no_connection_left());
  EXPECT_TRUE(still_serves());
}

} // namespace

} // namespace signalbox::http
