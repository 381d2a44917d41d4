#include "adapters/simulator/provider_connection.hpp"
#include "adapters/simulator/simulator.hpp"
#include "tests/adapters/simulator/fcm_fixture.hpp"
#include "tests/adapters/simulator/simulator_fixture.hpp"
#include "tests/adapters/simulator/tls_client.hpp"
#include "tests/support/log_capture.hpp"

#include <boost/json/parse.hpp>
#include <gtest/gtest.h>

#include <string>
#include <string_view>

namespace signalbox::sim {
namespace {

using test::message;
using test::tls_client;

constexpr std::string_view h2 = "\2h2";
constexpr std::string_view h1 = "\x08http/1.1";
constexpr std::string_view nothing = "";

message nowhere() {
  message made;
  made.path = "/nowhere";
  return made;
}

class provider_connection_test : public testing::Test {
protected:
  provider_connection_test() { target.start(); }

  void set_faults(const std::string& faults) {
    const auto error = target.set_faults(boost::json::parse(faults).get_object());
    ASSERT_FALSE(error) << error->member << " " << error->detail;
  }

  message push() { return test::make_message(test::make_provider_token(tls), test::device(1)); }

  std::string assertion() {
    const auto uri = "https://localhost:" + std::to_string(target.fcm_port()) + "/token";
    return test::make_assertion(tls, {.audience = uri});
  }

  std::string access_token(tls_client& client) {
    const auto answer = client.send_http1(test::make_token_request(assertion()));
    if (!answer || answer->result_int() != 200)
      return "none";
    return std::string{boost::json::parse(answer->body()).at("access_token").as_string()};
  }

  /// What the log says once everything has ended.
  std::string log_at_the_end() {
    target.stop();
    return log.text();
  }

  void expect_logged(std::string_view line) {
    const auto text = log_at_the_end();
    EXPECT_NE(text.find(line), std::string::npos) << line << "\nin\n" << text;
  }

  tests::log_capture log;
  const tls_material& tls = test::shared_tls();
  simulator target{{.tls_dir = tls.dir}};
};

TEST_F(provider_connection_test, apns_speaks_http2_without_alpn) {
  tls_client client{target.apns_port(), tls, nothing};
  auto empty = push();
  EXPECT_EQ(client.send_http2(empty), 400) << "PayloadEmpty";
  EXPECT_EQ(target.apns_totals().by_reason.at("PayloadEmpty"), 1u);
}

TEST_F(provider_connection_test, apns_takes_no_http1_and_says_so) {
  {
    tls_client client{target.apns_port(), tls, nothing};
    client.write(tls_client::http1_text(push()));
    EXPECT_TRUE(client.read_end());
  }
  EXPECT_THROW((tls_client{target.apns_port(), tls, h1}), boost::system::system_error);
  const auto text = log_at_the_end();
  EXPECT_NE(text.find(R"(the client does not speak HTTP/2; it began with \"POST /3/device/0\")"),
            std::string::npos)
    << text;
  EXPECT_NE(text.find("the protocols that the client offers by ALPN do not include h2"),
            std::string::npos)
    << text;
  EXPECT_EQ(target.apns_totals().requests, 0u);
}

TEST_F(provider_connection_test, fcm_and_its_token_endpoint_are_asked_over_http1) {
  for (const auto alpn : {h1, nothing}) {
    tls_client client{target.fcm_port(), tls, alpn};
    const auto token = access_token(client);
    auto sent = test::make_fcm_message(token, test::registration(1));
    sent.fields = {{"Authorization", "Bearer " + token},
                   {"Content-Type", "application/json; charset=utf-8"}};
    for (int i = 0; i < 3; ++i) { // on the same connection
      const auto answer = client.send_http1(sent);
      ASSERT_TRUE(answer);
      EXPECT_EQ(answer->result_int(), 200u) << answer->body();
      EXPECT_EQ((*answer)["content-type"], "application/json; charset=UTF-8");
      EXPECT_TRUE(answer->keep_alive());
      EXPECT_TRUE(boost::json::parse(answer->body()).as_object().contains("name"));
    }
    const auto refused = client.send_http1(test::make_fcm_message("x", test::registration(1)));
    ASSERT_TRUE(refused);
    EXPECT_EQ(refused->result_int(), 401u);
  }
  EXPECT_EQ(target.fcm_totals().requests, 8u);
  EXPECT_EQ(target.fcm_totals().accepted, 6u);
  EXPECT_EQ(target.fcm_totals().token_requests, 2u);
  EXPECT_EQ(target.fcm_totals().connections, 2u);
}

TEST_F(provider_connection_test, without_alpn_the_first_bytes_tell_http2) {
  tls_client client{target.fcm_port(), tls, nothing};
  EXPECT_EQ(client.send_http2(nowhere()), 404);
  tls_client in_pieces{target.fcm_port(), tls, nothing};
  in_pieces.write("P");
  in_pieces.write("OST /nowhere HTTP/1.1\r\nContent-Length: 0\r\n\r\n");
  const auto answer = in_pieces.read_http1();
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->result_int(), 404u);
}

TEST_F(provider_connection_test, http1_is_left_to_those_who_ask_for_it) {
  {
    tls_client client{target.fcm_port(), tls, std::string{h1} + std::string{h2}};
    EXPECT_EQ(client.send_http2(nowhere()), 404) << "h2 is the better one";
  }
  EXPECT_THROW((tls_client{target.fcm_port(), tls, "\3h2c"}), boost::system::system_error);
  expect_logged("the protocols that the client offers by ALPN are neither h2 nor http/1.1");
}

TEST_F(provider_connection_test, http1_requests_sent_ahead_are_answered_in_turn) {
  tls_client client{target.fcm_port(), tls, h1};
  const auto token = access_token(client);
  set_faults(R"({"fcm":{"stall":true}})");
  std::string ahead;
  for (int i = 0; i < 5; ++i)
    ahead +=
      tls_client::http1_text(test::make_fcm_message(i == 2 ? "x" : token, test::registration(i)));
  client.write(ahead);
  set_faults(R"({"fcm":{"stall":false}})");
  for (int i = 0; i < 5; ++i) {
    const auto answer = client.read_http1();
    ASSERT_TRUE(answer) << i;
    EXPECT_EQ(answer->result_int(), i == 2 ? 401u : 200u) << i;
  }
  EXPECT_EQ(target.fcm_totals().requests, 5u);
  EXPECT_EQ(target.fcm_totals().unanswered, 0u);
}

TEST_F(provider_connection_test, http1_takes_chunks_and_closes_on_request) {
  tls_client client{target.fcm_port(), tls, h1};
  const auto token = access_token(client);
  const auto body = test::make_fcm_message(token, test::registration(1)).body;
  std::array<char, 16> size;
  std::snprintf(size.data(), size.size(), "%zx", body.size());
  client.write("POST /v1/projects/signalbox-sim/messages:send HTTP/1.1\r\nConnection: close\r\n"
               "Content-Type: application/json\r\nAuthorization: Bearer " +
               token + "\r\nTransfer-Encoding: chunked\r\n\r\n" + size.data() + "\r\n" + body +
               "\r\n0\r\n\r\n");
  const auto answer = client.read_http1();
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->result_int(), 200u) << answer->body();
  EXPECT_FALSE(answer->keep_alive());
  EXPECT_TRUE(client.read_end());
}

TEST_F(provider_connection_test, what_is_no_http1_or_too_large_is_refused_and_closed) {
  struct expectation {
    std::string text;
    unsigned status;
  };
  const std::string start = "POST /token HTTP/1.1\r\n";
  for (const auto& [text, status] :
       {expectation{"hello\r\n\r\n", 400}, expectation{start + "Content-Length: x\r\n\r\n", 400},
        expectation{start + "X: " + std::string(65 * 1024, 'x'), 431},
        expectation{start + "Content-Length: 1048577\r\n\r\n", 413}}) {
    tls_client client{target.fcm_port(), tls, h1};
    client.write(text);
    const auto answer = client.read_http1();
    ASSERT_TRUE(answer);
    EXPECT_EQ(answer->result_int(), status);
    EXPECT_FALSE(answer->keep_alive());
    EXPECT_TRUE(client.read_end());
  }
  EXPECT_EQ(target.fcm_totals().requests, 0u);
  expect_logged("no HTTP/1.1 request that is taken: ");
}

TEST_F(provider_connection_test, a_large_http1_message_gets_fcms_answer) {
  tls_client client{target.fcm_port(), tls, h1};
  auto large = test::make_fcm_message(access_token(client), test::registration(1));
  large.body += std::string(70 * 1024, ' ');
  const auto answer = client.send_http1(large);
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->result_int(), 413u);
  EXPECT_TRUE(answer->keep_alive());
  EXPECT_EQ(target.fcm_totals().requests, 1u);
}

TEST_F(provider_connection_test, faults_act_on_http1) {
  tls_client client{target.fcm_port(), tls, h1};
  const auto sent = test::make_fcm_message(access_token(client), test::registration(1));
  set_faults(R"({"fcm":{"latency_ms":[1,2],"mix":{"503 UNAVAILABLE":1},"retry_after_s":7}})");
  const auto busy = client.send_http1(sent);
  ASSERT_TRUE(busy);
  EXPECT_EQ(busy->result_int(), 503u);
  EXPECT_EQ((*busy)["retry-after"], "7");
  set_faults(R"({"fcm":{"latency_ms":[0,0],"mix":{},"goaway_every":2}})");
  const auto last = client.send_http1(sent);
  ASSERT_TRUE(last);
  EXPECT_EQ(last->result_int(), 200u);
  EXPECT_FALSE(last->keep_alive());
  EXPECT_TRUE(client.read_end());
  EXPECT_EQ(target.fcm_totals().goaways, 1u);
  set_faults(R"({"fcm":{"mix":{"reset":1},"goaway_every":0}})");
  tls_client next{target.fcm_port(), tls, h1};
  next.write(tls_client::http1_text(sent));
  EXPECT_EQ(next.read_end(), boost::asio::error::connection_reset);
  EXPECT_EQ(target.fcm_totals().unanswered, 1u);
  const auto text = log_at_the_end();
  EXPECT_NE(text.find("connection: close, by the fault goaway_every"), std::string::npos) << text;
  EXPECT_NE(text.find("reset, by the fault mix"), std::string::npos) << text;
}

TEST_F(provider_connection_test, an_http1_answer_that_nobody_waits_for_is_unanswered) {
  set_faults(R"({"fcm":{"stall":true}})");
  {
    tls_client client{target.fcm_port(), tls, h1};
    client.write(tls_client::http1_text(test::make_fcm_message("x", test::registration(1))));
    while (target.fcm_totals().requests == 0) {
    }
  }
  while (target.fcm_totals().unanswered == 0) {
  }
  set_faults(R"({"fcm":{"stall":false}})");
  EXPECT_EQ(target.fcm_totals().unanswered, 1u);
}

TEST_F(provider_connection_test, the_log_says_why_a_connection_ended) {
  { tls_client client{target.apns_port(), tls, h2}; }
  {
    const test::temporary_directory directory;
    const auto others = ensure_tls_material(directory.path());
    EXPECT_THROW((tls_client{target.apns_port(), others, h2}), boost::system::system_error);
  }
  {
    tls_client client{target.apns_port(), tls, h2};
    client.write(std::string{NGHTTP2_CLIENT_MAGIC, NGHTTP2_CLIENT_MAGIC_LEN});
    client.write(std::string_view{"\0\0\0\0\0\0\0\0\0", 9}); // DATA, before the SETTINGS
    EXPECT_TRUE(client.read_end());
  }
  tls_client open{target.apns_port(), tls, h2};
  while (target.apns_totals().connections < 3) {
  }
  const auto text = log_at_the_end();
  for (const auto* reason : {"the client closed it", "unknown ca", "HTTP/2: PROTOCOL_ERROR",
                             "the simulator stops", "provider=apns peer=127.0.0.1:"})
    EXPECT_NE(text.find(reason), std::string::npos) << reason << "\nin\n" << text;
}

} // namespace
} // namespace signalbox::sim
