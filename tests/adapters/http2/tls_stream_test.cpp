#include "adapters/http2/tls_stream.hpp"
#include "adapters/simulator/tls_material.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/ssl/error.hpp>
#include <boost/system/errc.hpp>
#include <gtest/gtest.h>
#include <openssl/ssl.h>

#include <chrono>
#include <cstdlib>
#include <functional>
#include <optional>
#include <string>

namespace signalbox {
namespace {

namespace asio = boost::asio;
namespace ssl = boost::asio::ssl;
namespace fs = std::filesystem;
using asio::ip::tcp;

struct peer : tls_stream::handler {
  std::shared_ptr<tls_stream> stream;
  std::string to_send;
  std::string received;
  std::vector<tls_stream::error_code> closes;
  int opened = 0;
  int calls_after_close = 0;
  std::size_t writes = 0;
  std::function<void()> when_open = [] {};
  std::function<bool()> when_bytes = [] { return true; };

  void on_open() override {
    note_call();
    ++opened;
    when_open();
  }
  bool on_bytes(std::span<const std::uint8_t> bytes) override {
    note_call();
    received.append(bytes.begin(), bytes.end());
    return when_bytes();
  }
  void fill(std::vector<std::uint8_t>& out, std::size_t limit) override {
    note_call();
    const auto size = std::min(limit, to_send.size());
    out.insert(out.end(), to_send.begin(), to_send.begin() + static_cast<std::ptrdiff_t>(size));
    to_send.erase(0, size);
    writes += size > 0 ? 1 : 0;
  }
  void on_close(tls_stream::error_code error) override { closes.push_back(error); }

private:
  void note_call() { calls_after_close += closes.empty() ? 0 : 1; }
};

class tls_stream_test : public testing::Test {
protected:
  static void SetUpTestSuite() {
    char name[] = "/tmp/sb-tls-XXXXXX";
    material = sim::ensure_tls_material(mkdtemp(name));
  }
  static void TearDownTestSuite() { fs::remove_all(material.dir); }

  tls_stream_test() {
    client_context.load_verify_file(material.ca.string());
    server_context.use_certificate_chain_file(material.server_cert.string());
    server_context.use_private_key_file(material.server_key.string(), ssl::context::pem);
    tcp::acceptor acceptor{io, {asio::ip::address_v4::loopback(), 0}};
    client.stream = std::make_shared<tls_stream>(io.get_executor(), client_context, client);
    server.stream = std::make_shared<tls_stream>(io.get_executor(), server_context, server);
    client.stream->socket().connect(acceptor.local_endpoint());
    acceptor.accept(server.stream->socket());
  }

  void run(const std::string& host = "localhost") {
    server.stream->start_server(tls_stream::versions::http2);
    client.stream->start_client(host);
    io.run_for(std::chrono::seconds{60}); // far longer than any of these tests
  }

  void expect_silence_after_close() {
    EXPECT_EQ(client.calls_after_close, 0);
    EXPECT_EQ(server.calls_after_close, 0);
    EXPECT_EQ(client.closes.size(), 1u);
    EXPECT_EQ(server.closes.size(), 1u);
  }

  static sim::tls_material material;
  asio::io_context io;
  ssl::context client_context{ssl::context::tls_client};
  ssl::context server_context{ssl::context::tls_server};
  peer client;
  peer server;
};

sim::tls_material tls_stream_test::material;

TEST_F(tls_stream_test, carries_bytes_both_ways_and_ends_in_order) {
  const std::string big(300'000, 'x');
  client.to_send = big;
  server.when_bytes = [&] {
    if (server.received.size() == big.size()) {
      server.to_send = "all here";
      server.stream->shutdown();
    }
    return true;
  };
  run();
  EXPECT_EQ(server.received, big);
  EXPECT_EQ(client.received, "all here");
  EXPECT_EQ(client.writes, 5u) << "300,000 bytes leave in writes of 64 KiB";
  ASSERT_EQ(server.closes.size(), 1u);
  EXPECT_FALSE(server.closes[0]) << server.closes[0].message();
  ASSERT_EQ(client.closes.size(), 1u);
  EXPECT_EQ(client.closes[0], asio::error::eof);
  expect_silence_after_close();
}

TEST_F(tls_stream_test, sets_no_delay_and_negotiates_h2) {
  client.when_open = [&] {
    tcp::no_delay no_delay;
    client.stream->socket().get_option(no_delay);
    EXPECT_TRUE(no_delay.value());
    EXPECT_TRUE(client.stream->is_open());
    client.stream->close();
  };
  run();
  EXPECT_EQ(client.opened, 1);
  ASSERT_EQ(client.closes.size(), 1u);
  EXPECT_EQ(client.closes[0], asio::error::operation_aborted);
  expect_silence_after_close();
}

TEST_F(tls_stream_test, accepts_an_address_as_the_host) {
  client.when_open = [&] { client.stream->shutdown(); };
  run("127.0.0.1");
  EXPECT_EQ(client.opened, 1);
  expect_silence_after_close();
}

TEST_F(tls_stream_test, refuses_a_certificate_for_another_host) {
  run("example.com");
  EXPECT_EQ(client.opened, 0);
  ASSERT_EQ(client.closes.size(), 1u);
  EXPECT_EQ(client.closes[0].category(), asio::error::get_ssl_category());
  expect_silence_after_close();
}

TEST_F(tls_stream_test, refuses_a_certificate_of_an_unknown_authority) {
  ssl::context trusts_nobody{ssl::context::tls_client};
  auto stream = std::make_shared<tls_stream>(io.get_executor(), trusts_nobody, client);
  stream->socket() = std::move(client.stream->socket());
  client.stream = stream;
  run();
  EXPECT_EQ(client.opened, 0);
  EXPECT_EQ(server.opened, 0);
  expect_silence_after_close();
}

TEST_F(tls_stream_test, refuses_a_server_that_does_not_speak_h2) {
  ssl::stream<tcp::socket> plain{std::move(server.stream->socket()), server_context};
  plain.async_handshake(ssl::stream_base::server, [](auto) {});
  client.stream->start_client("localhost");
  io.run_for(std::chrono::seconds{60});
  EXPECT_EQ(client.opened, 0);
  ASSERT_EQ(client.closes.size(), 1u);
  EXPECT_EQ(client.closes[0], boost::system::errc::protocol_not_supported);
}

TEST_F(tls_stream_test, a_server_agrees_on_what_it_takes_best_or_on_nothing) {
  struct expectation {
    tls_stream::versions taken;
    std::string offered; ///< as in ALPN
    std::optional<std::string> agreed;
  };
  const std::string h1 = "\x08http/1.1";
  const std::string h2 = "\x02h2";
  const auto both = tls_stream::versions::http2_and_http1;
  for (const auto& [taken, offered, agreed] :
       {expectation{both, h1 + h2, "h2"}, expectation{both, h1, "http/1.1"},
        expectation{both, "", ""}, expectation{both, "\x03h2c", std::nullopt},
        expectation{tls_stream::versions::http2, h1 + h2, "h2"},
        expectation{tls_stream::versions::http2, "", ""},
        expectation{tls_stream::versions::http2, h1, std::nullopt}}) {
    tcp::acceptor acceptor{io, {asio::ip::address_v4::loopback(), 0}};
    peer accepted;
    accepted.stream = std::make_shared<tls_stream>(io.get_executor(), server_context, accepted);
    ssl::stream<tcp::socket> plain{io, client_context};
    plain.next_layer().connect(acceptor.local_endpoint());
    acceptor.accept(accepted.stream->socket());
    if (!offered.empty())
      SSL_set_alpn_protos(plain.native_handle(),
                          reinterpret_cast<const unsigned char*>(offered.data()),
                          static_cast<unsigned>(offered.size()));
    std::optional<std::string> seen;
    accepted.when_open = [&] {
      seen = accepted.stream->agreed_protocol();
      accepted.stream->close();
    };
    accepted.stream->start_server(taken);
    plain.async_handshake(ssl::stream_base::client, [](auto) {});
    io.restart();
    io.run_for(std::chrono::seconds{60});
    EXPECT_EQ(seen, agreed) << offered;
    ASSERT_EQ(accepted.closes.size(), 1u);
    EXPECT_EQ(accepted.closes[0] == boost::system::errc::protocol_not_supported, !agreed)
      << accepted.closes[0].message();
  }
}

TEST_F(tls_stream_test, closes_when_the_handler_refuses_bytes) {
  client.to_send = "nonsense";
  server.when_bytes = [] { return false; };
  run();
  ASSERT_EQ(server.closes.size(), 1u);
  EXPECT_EQ(server.closes[0], boost::system::errc::protocol_error);
  expect_silence_after_close();
}

TEST_F(tls_stream_test, a_peer_that_does_not_end_its_side_is_not_waited_for_long) {
  ssl::stream<tcp::socket> mute{std::move(client.stream->socket()), client_context};
  SSL_set_alpn_protos(mute.native_handle(), reinterpret_cast<const unsigned char*>("\2h2"), 3);
  mute.async_handshake(ssl::stream_base::client, [](auto) {});
  server.when_open = [&] { server.stream->shutdown(); };
  server.stream->start_server(tls_stream::versions::http2);
  io.run_for(std::chrono::seconds{60});
  EXPECT_EQ(server.opened, 1);
  ASSERT_EQ(server.closes.size(), 1u);
  EXPECT_FALSE(server.closes[0]) << server.closes[0].message();
}

TEST_F(tls_stream_test, close_inside_a_call_takes_effect_after_it) {
  client.to_send = "x";
  server.when_bytes = [&] {
    server.stream->close();
    EXPECT_TRUE(server.closes.empty());
    return true;
  };
  run();
  expect_silence_after_close();
}

TEST_F(tls_stream_test, detach_silences_the_handler) {
  server.when_open = [&] { server.stream->shutdown(); };
  server.stream->start_server(tls_stream::versions::http2);
  client.stream->start_client("localhost");
  client.stream->detach();
  io.run();
  EXPECT_TRUE(client.closes.empty());
  EXPECT_EQ(client.opened, 0);
  EXPECT_EQ(server.closes.size(), 1u);
}

} // namespace
} // namespace signalbox
