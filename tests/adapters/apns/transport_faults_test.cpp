#include "tests/adapters/apns/reserved_port.hpp"
#include "tests/adapters/apns/tcp_relay.hpp"
#include "tests/adapters/apns/transport_fixture.hpp"

#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

#include <algorithm>
#include <cstdlib>
#include <iostream>
#include <random>

using namespace signalbox;
using namespace std::chrono_literals;

namespace {

/// Each bad day of a provider: exactly one answer a target, and the right one.
class apns_faults_test : public transport_fixture {
protected:
  void TearDown() override {
    EXPECT_EQ(log_.doubles(), 0u);
    if (transport_) {
      EXPECT_EQ(transport_->stats().streams.value(), 0);
    }
  }

  void send(std::uint32_t count, token_id first_id = 1) {
    submit_all(make_work(count, first_id));
    sent_ += count;
    ASSERT_TRUE(log_.wait_for(sent_)) << log_.total() << " of " << sent_;
  }

  std::size_t sent_ = 0;
};

TEST_F(apns_faults_test, server_errors_are_answers) {
  faults(R"({"mix":{"500 InternalServerError":1}})");
  start(options());
  send(500);
  EXPECT_EQ(log_.count("500 InternalServerError"), 500u);
}

TEST_F(apns_faults_test, retry_after_is_handed_over) {
  faults(R"({"mix":{"503 ServiceUnavailable":1},"retry_after_s":7})");
  start(options());
  send(10);
  const auto others = log_.others();
  EXPECT_EQ(others.size(), 10u);
  for (const auto& other : others)
    EXPECT_EQ(other.retry_after_s, 7u);
}

TEST_F(apns_faults_test, a_410_carries_its_timestamp) {
  faults(R"({"mix":{"410 Unregistered":1},"unregistered_timestamp_ms":1700000000123})");
  start(options());
  send(3);
  EXPECT_EQ(log_.count("410 Unregistered"), 3u);
  for (const auto& other : log_.others())
    EXPECT_EQ(other.timestamp_ms, 1'700'000'000'123);
}

TEST_F(apns_faults_test, what_is_never_answered_is_unknown) {
  start(patient_options());
  send(1);
  faults(R"({"mix":{"no-answer":0.2}})");
  send(300);
  EXPECT_GT(log_.count("unknown request timeout"), 0u);
  EXPECT_EQ(log_.count("accepted") + log_.count("unknown request timeout"), sent_);
  EXPECT_EQ(simulator_.apns_totals().duplicates, 0u);
  for (const auto& other : log_.others())
    EXPECT_TRUE(other.provider_alive) << "others of the same burst were accepted";
}

TEST_F(apns_faults_test, nobody_is_alive_who_answers_nothing) {
  start(patient_options());
  send(1);
  faults(R"({"mix":{"no-answer":1}})");
  send(30);
  EXPECT_EQ(log_.count("unknown request timeout"), 30u);
  for (const auto& other : log_.others())
    EXPECT_FALSE(other.provider_alive);
}

TEST_F(apns_faults_test, a_reset_connection_leaves_what_was_under_way_unknown) {
  start(options());
  send(1);
  faults(R"({"mix":{"reset":0.005}})");
  send(3'000);
  EXPECT_GT(log_.count(answer_kind::unknown), 0u);
  EXPECT_EQ(log_.count("accepted") + log_.count(answer_kind::unknown), sent_);
  EXPECT_EQ(simulator_.apns_totals().duplicates, 0u);
}

TEST_F(apns_faults_test, goaway_loses_nothing_and_doubles_nothing) {
  faults(R"({"goaway_every":50})");
  start(options());
  send(5'000);
  EXPECT_EQ(log_.count("accepted"), sent_) << boost::json::serialize(simulator_.stats());
  const auto seen = simulator_.apns_totals();
  EXPECT_EQ(seen.duplicates, 0u);
  EXPECT_GT(seen.goaways, 10u);
  EXPECT_GT(transport_->stats().goaways.value(), 10);
  EXPECT_EQ(transport_->stats().connect_errors.value(), 0) << "an end in order is no failure";
}

TEST_F(apns_faults_test, connections_that_drain_are_bounded) {
  faults(R"({"goaway_every":1,"latency_ms":[200,200]})");
  start(options());
  submit_all(make_work(60));
  sent_ += 60;
  std::int64_t most = 0;
  EXPECT_TRUE(eventually([&] {
    most = std::max(most, transport_->stats().connections.value());
    return log_.total() >= sent_;
  }));
  EXPECT_EQ(log_.count("accepted"), sent_);
  EXPECT_LE(most, 16) << "four, and three times as many that drain";
}

TEST_F(apns_faults_test, refused_streams_are_sent_again) {
  faults(R"({"refuse_every":10})");
  start(options());
  send(2'000);
  EXPECT_EQ(log_.count("accepted"), sent_);
  EXPECT_GT(transport_->stats().resent.value(), 150);
  EXPECT_EQ(simulator_.apns_totals().duplicates, 0u);
}

TEST_F(apns_faults_test, a_stream_that_is_refused_again_and_again_is_unsent) {
  faults(R"({"refuse_every":1})");
  start(options());
  send(50);
  EXPECT_EQ(log_.count("unsent refused"), sent_);
  EXPECT_EQ(simulator_.apns_totals().requests, 0u);
}

TEST_F(apns_faults_test, settings_are_followed_down_to_one_and_up_again) {
  auto patient = options();
  patient.request_timeout = std::chrono::minutes{5};
  start(patient);
  const auto are_under_way = [&](std::int64_t streams, std::int64_t waiting) {
    return eventually([&] {
      return transport_->stats().streams.value() == streams &&
             transport_->stats().waiting.value() == waiting;
    });
  };
  send(1'000);
  faults(R"({"max_streams":1})");
  send(500, 10'000);
  faults(R"({"stall":true})");
  submit_all(make_work(100, 20'000));
  sent_ += 100;
  EXPECT_TRUE(are_under_way(4, 96));
  faults(R"({"max_streams":250})");
  EXPECT_TRUE(are_under_way(100, 0));
  faults(R"({"stall":false})");
  ASSERT_TRUE(log_.wait_for(sent_));
  EXPECT_EQ(log_.count("accepted"), sent_);
}

TEST_F(apns_faults_test, a_connection_warms_up_with_one_request) {
  faults(R"({"warmup":true})");
  start(options());
  send(2'000);
  EXPECT_EQ(log_.count("accepted"), sent_);
  EXPECT_EQ(transport_->stats().resent.value(), 0);
}

TEST_F(apns_faults_test, a_refusal_warms_a_connection_up_as_well) {
  faults(R"({"mix":{"400 BadDeviceToken":1}})");
  start(options());
  send(500);
  EXPECT_EQ(log_.count("400 BadDeviceToken"), sent_);
  // Nothing was accepted yet, and still more than one request goes out on a connection.
  faults(R"({"stall":true})");
  submit_all(make_work(90, 1'000));
  sent_ += 90;
  EXPECT_TRUE(eventually([&] { return transport_->stats().streams.value() == 90; }));
  faults(R"({"stall":false})");
  ASSERT_TRUE(log_.wait_for(sent_));
}

TEST_F(apns_faults_test, a_stalled_provider_is_unknown_and_comes_back) {
  start(patient_options());
  send(1);
  faults(R"({"stall":true})");
  send(90);
  EXPECT_EQ(log_.count("unknown request timeout"), 90u);
  faults(R"({"stall":false})");
  send(500, 1'000);
  EXPECT_EQ(log_.count("accepted"), 501u);
}

TEST_F(apns_faults_test, a_connection_that_answers_pings_but_no_request_is_replaced) {
  auto one = patient_options();
  one.connections = 1;
  start(one);
  send(1);
  faults(R"({"stall":true})");
  send(20, 10);
  EXPECT_EQ(log_.count("unknown request timeout"), 20u);
  faults(R"({"stall":false})");
  send(20, 100);
  EXPECT_EQ(log_.count("accepted"), 21u);
  EXPECT_EQ(simulator_.apns_totals().connections, 2u);
}

TEST_F(apns_faults_test, a_connection_that_answers_later_requests_is_kept) {
  auto one = patient_options();
  one.connections = 1;
  start(one);
  send(1);
  faults(R"({"mix":{"no-answer":1}})");
  submit_all(make_work(1, 10));
  ASSERT_TRUE(eventually([&] { return simulator_.apns_totals().requests == 2; }));
  faults(R"({"mix":{}})");
  submit_all(make_work(1, 20));
  sent_ += 2;
  ASSERT_TRUE(log_.wait_for(sent_));
  EXPECT_EQ(log_.count("unknown request timeout"), 1u);
  send(20, 100);
  EXPECT_EQ(simulator_.apns_totals().connections, 1u);
}

TEST_F(apns_faults_test, a_connection_that_allows_no_streams_is_replaced) {
  auto one = patient_options();
  one.connections = 1;
  start(one);
  send(1);
  faults(R"({"max_streams":0})");
  send(5, 10);
  EXPECT_EQ(log_.count(answer_kind::unsent), 5u);
  faults(R"({"max_streams":100})");
  send(5, 20);
  EXPECT_EQ(log_.count("accepted"), 6u);
  EXPECT_GE(simulator_.apns_totals().connections, 2u);
}

TEST_F(apns_faults_test, a_provider_stalled_from_the_start_holds_nothing_for_ever) {
  faults(R"({"stall":true})");
  start(patient_options());
  send(50);
  EXPECT_GE(log_.count(answer_kind::unknown), 1u);
  EXPECT_EQ(log_.count(answer_kind::unknown) + log_.count(answer_kind::unsent), 50u);
  faults(R"({"stall":false})");
  send(50);
  EXPECT_EQ(log_.count("accepted"), 50u);
  EXPECT_GT(simulator_.apns_totals().connections, 1u)
    << "the connection that never answered was replaced";
}

TEST_F(apns_faults_test, an_expired_token_is_replaced) {
  start(options());
  send(1);
  const auto before = token()->current();
  faults(R"({"mix":{"403 ExpiredProviderToken":1}})");
  send(200);
  EXPECT_EQ(log_.count("403 ExpiredProviderToken"), 200u);
  EXPECT_TRUE(eventually([&] { return token()->current() != before; }));
  faults(R"({"mix":{}})");
  send(200);
  EXPECT_EQ(log_.count("accepted"), 201u);
}

TEST_F(apns_faults_test, reasons_that_ask_for_a_new_connection_get_one) {
  for (const std::string reason :
       {"503 Shutdown", "400 IdleTimeout", "403 UnrelatedKeyIdInToken"}) {
    start(options());
    faults(R"({"mix":{}})");
    simulator_.reset();
    send(1);
    faults(R"({"mix":{")" + reason + R"(":1}})");
    send(1);
    faults(R"({"mix":{}})");
    send(1);
    EXPECT_EQ(simulator_.apns_totals().connections, 2u) << reason;
    EXPECT_EQ(log_.count(reason), 1u);
  }
}

TEST_F(apns_faults_test, a_certificate_of_another_authority_is_refused) {
  auto pattern = (std::filesystem::temp_directory_path() / "signalbox-ca-XXXXXX").string();
  ASSERT_NE(mkdtemp(pattern.data()), nullptr);
  auto wrong = patient_options();
  wrong.ca_file = sim::ensure_tls_material(pattern).ca.string();
  start(wrong);
  send(20);
  EXPECT_EQ(log_.count(answer_kind::unsent), 20u);
  for (const auto& other : log_.others())
    EXPECT_NE(other.reason.find("certificate verify failed"), std::string::npos) << other.reason;
  EXPECT_EQ(simulator_.apns_totals().requests, 0u);
  std::filesystem::remove_all(pattern);
}

TEST_F(apns_faults_test, a_missing_ca_file_is_named) {
  auto wrong = options();
  wrong.ca_file = "/nowhere/ca.pem";
  try {
    apns_transport transport{wrong};
    FAIL() << "accepted";
  } catch (const std::runtime_error& error) {
    EXPECT_NE(std::string{error.what()}.find("/nowhere/ca.pem"), std::string::npos);
  }
}

TEST_F(apns_faults_test, a_refused_connect_is_unsent_with_its_reason) {
  const reserved_port nobody_listens;
  auto closed = patient_options();
  closed.production.port = std::to_string(nobody_listens.number());
  start(closed);
  send(300);
  EXPECT_EQ(
    log_.count("unsent connect to 127.0.0.1:" + closed.production.port + ": Connection refused"),
    300u);
  EXPECT_LE(transport_->stats().connect_errors.value(), 300) << "5 ms apart at least";
}

TEST_F(apns_faults_test, after_a_failure_one_connection_finds_out_for_all) {
  tcp_relay relay{simulator_.apns_port()};
  auto through = options();
  through.production.port = std::to_string(relay.port());
  through.connect_timeout = 300ms;
  relay.freeze();
  start(through);
  submit_all(make_work(1'000));
  sent_ += 1'000;
  ASSERT_TRUE(eventually([&] { return relay.accepted() >= 4; }));
  EXPECT_TRUE(eventually([&] {
    const auto accepted = static_cast<std::int64_t>(relay.accepted());
    const auto failed = transport_->stats().connect_errors.value();
    EXPECT_LE(accepted, std::max<std::int64_t>(4, failed + 1)) << "one more than have failed";
    return failed >= 8;
  }));
  relay.thaw();
  ASSERT_TRUE(log_.wait_for(sent_));
  EXPECT_EQ(log_.count("accepted"), sent_);
}

TEST_F(apns_faults_test, an_app_that_comes_back_does_not_wait_for_what_failed_before) {
  tcp_relay relay{simulator_.apns_port()};
  auto through = options();
  through.production.port = std::to_string(relay.port());
  through.connect_timeout = patience;
  through.reconnect = {1h, 1h};
  relay.freeze();
  start(through);
  submit_all(make_work(1));
  ASSERT_TRUE(eventually([&] { return transport_->stats().connect_errors.value() == 1; }));
  transport_->remove_app(default_app);
  ASSERT_TRUE(log_.wait_for(1));
  relay.thaw();
  transport_->set_app(default_app, app());
  submit_all(make_work(10, 2));
  ASSERT_TRUE(log_.wait_for(11));
  EXPECT_EQ(log_.count("accepted"), 10u);
}

TEST_F(apns_faults_test, a_dead_network_is_found_out_by_a_ping) {
  tcp_relay relay{simulator_.apns_port()};
  auto through = pinging_options();
  through.production.port = std::to_string(relay.port());
  start(through);
  send(1);
  relay.freeze();
  EXPECT_TRUE(eventually([&] { return transport_->stats().connections.value() == 0; }));
  relay.thaw();
  send(100);
  EXPECT_EQ(log_.count("accepted"), 101u);
}

TEST_F(apns_faults_test, requests_that_meet_silence_ask_for_life_at_once) {
  tcp_relay relay{simulator_.apns_port()};
  auto through = patient_options();
  through.production.port = std::to_string(relay.port());
  through.ping_interval = 10min;
  through.ping_timeout = 500ms;
  start(through);
  send(1);
  relay.freeze();
  send(1, 2);
  EXPECT_EQ(log_.count("unknown request timeout"), 1u);
  EXPECT_TRUE(eventually([&] { return transport_->stats().connections.value() == 0; }));
}

TEST_F(apns_faults_test, a_network_that_dies_under_load_leaves_unknowns) {
  tcp_relay relay{simulator_.apns_port()};
  auto through = pinging_options();
  through.connect_timeout = 500ms; // what froze while it connected is soon tried again
  through.production.port = std::to_string(relay.port());
  start(through);
  send(1);
  relay.freeze();
  send(600);
  EXPECT_GT(log_.count(answer_kind::unknown), 0u);
  EXPECT_GT(log_.count(answer_kind::unsent), 0u);
  relay.thaw();
  send(100);
  EXPECT_EQ(log_.count("accepted"), 101u);
}

TEST_F(apns_faults_test, a_server_that_restarts_is_found_again) {
  const reserved_port kept; // also between the two
  sim::simulator_options fixed;
  fixed.tls_dir = simulator_.tls().dir;
  fixed.apns_port = kept.number();
  auto first = std::make_unique<sim::simulator>(fixed);
  first->start();
  auto to_first = patient_options();
  to_first.production.port = std::to_string(fixed.apns_port);
  start(to_first);
  send(500);
  first->set_faults(boost::json::parse(R"({"apns":{"latency_ms":[20,40]}})").as_object());
  submit_all(make_work(2'000, 10'000));
  sent_ += 2'000;
  ASSERT_TRUE(log_.wait_for(700));
  first.reset();
  ASSERT_TRUE(log_.wait_for(sent_));
  sim::simulator second{fixed};
  second.start();
  send(500, 20'000);
  EXPECT_EQ(second.apns_totals().accepted, 500u);
}

TEST_F(apns_faults_test, a_proxy_is_asked_for_a_tunnel) {
  tcp_relay relay{simulator_.apns_port(), tcp_relay::mode::connect_proxy};
  auto through = options();
  through.production = {"localhost", "443"};
  through.proxy.proxy = {{"127.0.0.1", std::to_string(relay.port())}, "Basic dXNlcjpwYXNz"};
  start(through);
  send(300);
  EXPECT_EQ(log_.count("accepted"), 300u);
  EXPECT_EQ(relay.connect_head(), "CONNECT localhost:443 HTTP/1.1\r\nHost: localhost:443\r\n"
                                  "Proxy-Authorization: Basic dXNlcjpwYXNz\r\n\r\n");
}

TEST_F(apns_faults_test, a_proxy_that_refuses_is_named) {
  tcp_relay relay{simulator_.apns_port(), tcp_relay::mode::refusing_proxy};
  auto through = patient_options();
  through.proxy.proxy = {{"127.0.0.1", std::to_string(relay.port())}, ""};
  start(through);
  send(3);
  EXPECT_EQ(log_.count(answer_kind::unsent), 3u);
  for (const auto& other : log_.others())
    EXPECT_NE(other.reason.find("407 Proxy Authentication Required"), std::string::npos)
      << other.reason;
}

TEST_F(apns_faults_test, words_of_a_proxy_cannot_spoil_what_they_are_written_to) {
  tcp_relay relay{simulator_.apns_port(), tcp_relay::mode::refusing_proxy};
  relay.refusal = "HTTP/1.1 407 Authentification n\xe9"
                  "cessaire\n\"" +
                  std::string(4'000, 'x') + "\r\n\r\n";
  auto through = patient_options();
  through.proxy.proxy = {{"127.0.0.1", std::to_string(relay.port())}, ""};
  start(through);
  send(1);
  const auto reason = log_.others().at(0).reason;
  EXPECT_NE(reason.find("407 Authentification n?cessaire??xxx"), std::string::npos) << reason;
  EXPECT_LT(reason.size(), 300u);
}

TEST_F(apns_faults_test, a_proxy_that_ends_within_its_answer_is_no_tunnel) {
  tcp_relay relay{simulator_.apns_port(), tcp_relay::mode::refusing_proxy};
  relay.refusal = "HTTP/1.1 200 Connection";
  auto through = patient_options();
  through.proxy.proxy = {{"127.0.0.1", std::to_string(relay.port())}, ""};
  start(through);
  send(1);
  EXPECT_EQ(log_.count(answer_kind::unsent), 1u);
  EXPECT_NE(log_.others().at(0).reason.find("proxy 127.0.0.1:"), std::string::npos)
    << log_.others().at(0).reason;
}

std::uint64_t seed_of_run() {
  const auto* given = std::getenv("SIGNALBOX_SEED");
  return given ? std::strtoull(given, nullptr, 10) : 1;
}

TEST_F(apns_faults_test, any_mix_of_faults_gives_each_target_one_answer) {
  const auto seed = seed_of_run();
  std::cout << "SIGNALBOX_SEED=" << seed << '\n';
  std::mt19937_64 random{seed};
  const auto pick = [&](std::uint64_t from, std::uint64_t to) {
    return std::uniform_int_distribution<std::uint64_t>{from, to}(random);
  };
  start(patient_options());
  for (int round = 0; round < 8; ++round) {
    boost::json::object mix;
    if (pick(0, 1))
      mix["503 ServiceUnavailable"] = 0.1;
    if (pick(0, 1))
      mix["403 ExpiredProviderToken"] = 0.01;
    if (pick(0, 1))
      mix["503 Shutdown"] = 0.005;
    if (pick(0, 1))
      mix["no-answer"] = 0.002; // each holds a stream for as long as we are patient
    if (pick(0, 1))
      mix["reset"] = 0.002;
    if (pick(0, 1))
      mix["410 Unregistered"] = 0.1;
    const boost::json::object settings{
      {"mix", mix},
      {"goaway_every", pick(0, 1) ? pick(20, 300) : 0},
      {"refuse_every", pick(0, 1) ? pick(2, 20) : 0},
      {"max_streams", pick(0, 2) ? 1'000 : pick(1, 10)},
      {"latency_ms", boost::json::array{0, pick(0, 5)}},
      {"warmup", pick(0, 1) == 1},
    };
    faults(boost::json::serialize(settings));
    std::vector<work_ptr> works;
    for (auto i = pick(1, 20); i > 0; --i) {
      works.push_back(make_work(static_cast<std::uint32_t>(pick(1, 300)),
                                static_cast<token_id>(1 + 1'000 * works.size())));
      submit_all(works.back());
      sent_ += works.back()->targets.size();
    }
    ASSERT_TRUE(log_.wait_for(sent_))
      << log_.total() << " of " << sent_ << " with " << boost::json::serialize(settings);
  }
  faults(R"({"mix":{},"goaway_every":0,"refuse_every":0,"max_streams":1000,"warmup":false})");
  const auto accepted = log_.count("accepted");
  send(1'000, 1'000'000);
  EXPECT_EQ(log_.count("accepted"), accepted + 1'000);
  EXPECT_EQ(simulator_.apns_totals().duplicates, 0u);
}

} // namespace
