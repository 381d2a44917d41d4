#include "adapters/apns/transport.hpp"
#include "tests/adapters/apns/tcp_relay.hpp"
#include "tests/adapters/apns/transport_fixture.hpp"

#include <boost/json/serialize.hpp>

#include <algorithm>
#include <future>

using namespace signalbox;
using namespace std::chrono_literals;

namespace {

class apns_transport_test : public transport_fixture {};

TEST_F(apns_transport_test, one_request_is_accepted) {
  start(options());
  submit_all(make_work(1));
  ASSERT_TRUE(log_.wait_for(1));
  EXPECT_EQ(log_.count("accepted"), 1u);
  EXPECT_EQ(simulator_.apns_totals().requests, 1u);
}

TEST_F(apns_transport_test, every_target_of_many_works_is_answered_once) {
  start(options());
  std::size_t total = 0;
  for (int i = 0; i < 20; ++i) {
    const auto of = make_work(1'000, 1 + 1'000 * i);
    transport_->submit(of, 0, 300);
    transport_->submit(of, 300, 700);
    total += 1'000;
  }
  ASSERT_TRUE(log_.wait_for(total)) << log_.total();
  EXPECT_EQ(log_.count("accepted"), total);
  EXPECT_EQ(log_.doubles(), 0u);
  const auto seen = simulator_.apns_totals();
  EXPECT_EQ(seen.requests, total);
  EXPECT_EQ(seen.accepted, total);
  EXPECT_EQ(seen.unique_targets, total);
  EXPECT_EQ(seen.unique_apns_ids, total);
  EXPECT_EQ(transport_->stats().accepted.value(), static_cast<std::int64_t>(total));
  EXPECT_EQ(transport_->stats().streams.value(), 0);
}

TEST_F(apns_transport_test, a_request_reaches_apns_as_rendered) {
  simulator_.set_faults(boost::json::parse(R"({"record_devices":true})").as_object());
  start(options());
  const auto of = make_work(1, 7);
  submit_all(of);
  ASSERT_TRUE(log_.wait_for(1));
  const auto device = simulator_.device(hex_token(7));
  ASSERT_TRUE(device);
  const auto& headers = device->at("last").at("headers").as_object();
  EXPECT_EQ(headers.at("apns-id").as_string(), push_id_source{of->job->id}.id_for(7).to_string());
  EXPECT_EQ(headers.at("apns-topic").as_string(), "com.example.app");
  EXPECT_EQ(headers.at("apns-push-type").as_string(), "alert");
  EXPECT_EQ(headers.at("apns-collapse-id").as_string(), of->job->id.to_string());
}

TEST_F(apns_transport_test, the_sandboxs_own_id_of_a_request_comes_back_with_a_refusal) {
  faults(R"({"unique_id":true,"mix":{"400 BadDeviceToken":1}})");
  start(options());
  const auto in_production = make_work(1, 7);
  auto sandboxed = *make_work(1, 8);
  sandboxed.dest.env = environment::sandbox;
  const auto in_sandbox = std::make_shared<const work>(std::move(sandboxed));
  submit_all(in_production);
  ASSERT_TRUE(log_.wait_for(1));
  submit_all(in_sandbox);
  ASSERT_TRUE(log_.wait_for(2));
  auto backwards = push_id_source{in_sandbox->job->id}.id_for(8).to_string();
  std::reverse(backwards.begin(), backwards.end()); // as the simulator makes it
  EXPECT_EQ(log_.others().at(0).unique_id, "") << "Apple's production has none";
  EXPECT_EQ(log_.others().at(1).unique_id, backwards);
}

constexpr auto start_options = R"({"alert":{"title":"T","body":"B"},"attributes_type":"Order",
                                   "attributes":{"no":12},"input_push_token":true})";

TEST_F(apns_transport_test, a_live_activity_reaches_apns_as_rendered) {
  start(options());
  submit_all(about_activity(make_work(1, 7), activity_action::start, {}, start_options));
  ASSERT_TRUE(log_.wait_for(1));
  EXPECT_EQ(log_.count("accepted"), 1u) << testing::PrintToString(log_.by_text());
  submit_all(about_activity(make_work(1, 7), activity_action::update));
  ASSERT_TRUE(log_.wait_for(2));
  submit_all(about_activity(make_work(1, 7), activity_action::end));
  ASSERT_TRUE(log_.wait_for(3));
  EXPECT_EQ(log_.count("accepted"), 3u) << testing::PrintToString(log_.by_text());
  const auto device = simulator_.device(hex_token(7));
  ASSERT_TRUE(device);
  EXPECT_EQ(device->at("requests").to_number<int>(), 3);
  const auto& headers = device->at("last").at("headers").as_object();
  EXPECT_EQ(headers.at("apns-topic").as_string(), "com.example.app.push-type.liveactivity");
  EXPECT_EQ(headers.at("apns-push-type").as_string(), "liveactivity");
  EXPECT_EQ(headers.at("apns-collapse-id").as_string(), "order-1");
  EXPECT_EQ(boost::json::serialize(device->at("last").at("body")),
            R"({"aps":{"timestamp":1700000000,"event":"end","content-state":{"seq":7}}})");
}

TEST_F(apns_transport_test, answers_come_in_batches) {
  start(options());
  submit_all(make_work(1));
  ASSERT_TRUE(log_.wait_for(1));
  faults(R"({"stall":true})");
  submit_all(make_work(100, 10));
  ASSERT_TRUE(eventually([&] { return transport_->stats().streams.value() == 100; }));
  faults(R"({"stall":false})"); // and they are answered by one write
  ASSERT_TRUE(log_.wait_for(101));
  EXPECT_LT(log_.deliveries(), 20u);
}

TEST_F(apns_transport_test, a_small_job_does_not_wait_for_a_big_one) {
  std::size_t answered_before = 0;
  std::size_t answered = 0;
  const auto small = make_work(1, 900'000);
  faults(R"({"stall":true})"); // until both wait
  start(options());
  transport_->on_answers([&](std::vector<answer_batch> batches) {
    for (const auto& batch : batches)
      if (batch.of == small)
        answered_before = answered;
      else
        answered += batch.accepted.size();
    log_.take(batches);
  });
  const auto big = make_work(20'000);
  submit_all(big);
  submit_all(small);
  faults(R"({"stall":false})");
  ASSERT_TRUE(log_.wait_for(20'001));
  EXPECT_LT(answered_before, 15'000u);
}

TEST_F(apns_transport_test, apps_have_connections_of_their_own) {
  start(options());
  transport_->set_app(2, app());
  submit_all(make_work(1));
  submit_all(make_work(1, 5, 2));
  ASSERT_TRUE(log_.wait_for(2));
  EXPECT_EQ(log_.count("accepted"), 2u);
  EXPECT_EQ(simulator_.apns_totals().connections, 2u);
}

TEST_F(apns_transport_test, an_app_without_credentials_is_told_so) {
  start(options());
  submit_all(make_work(30, 1, 99));
  ASSERT_TRUE(log_.wait_for(30));
  EXPECT_EQ(log_.count("unsent no_credentials"), 30u);
}

TEST_F(apns_transport_test, an_app_is_removed_and_comes_back_with_another_bundle) {
  start(options());
  submit_all(make_work(10));
  ASSERT_TRUE(log_.wait_for(10));
  transport_->remove_app(default_app);
  submit_all(make_work(10));
  ASSERT_TRUE(log_.wait_for(20));
  EXPECT_EQ(log_.count("unsent no_credentials"), 10u);
  auto other = app();
  other.bundle = "com.example.other";
  transport_->set_app(default_app, other);
  submit_all(make_work(10));
  ASSERT_TRUE(log_.wait_for(30));
  EXPECT_EQ(log_.count("400 DeviceTokenNotForTopic"), 10u);
  transport_->set_app(default_app, app());
  submit_all(make_work(10));
  ASSERT_TRUE(log_.wait_for(40));
  EXPECT_EQ(log_.count("accepted"), 20u);
}

TEST_F(apns_transport_test, a_change_of_key_under_load_loses_nothing) {
  start(options());
  for (int i = 0; i < 10; ++i) {
    submit_all(make_work(1'000, 1 + 1'000 * i));
    auto next = app();
    next.sandbox = i % 2 == 0 ? nullptr : token();
    transport_->set_app(default_app, next);
  }
  ASSERT_TRUE(log_.wait_for(10'000));
  EXPECT_EQ(log_.count("accepted"), 10'000u);
  EXPECT_EQ(log_.doubles(), 0u);
  EXPECT_EQ(simulator_.apns_totals().duplicates, 0u);
}

TEST_F(apns_transport_test, a_stop_answers_what_waits_and_lets_the_rest_finish) {
  start(options());
  submit_all(make_work(1));
  ASSERT_TRUE(log_.wait_for(1));
  faults(R"({"stall":true})");
  submit_all(make_work(5'000, 10));
  ASSERT_TRUE(eventually([&] { return transport_->stats().streams.value() >= 100; }));
  std::promise<void> stopped;
  transport_->stop([&] { stopped.set_value(); });
  ASSERT_TRUE(log_.wait_for(1 + 4'000)) << "what waits is answered first";
  faults(R"({"stall":false})");
  ASSERT_EQ(stopped.get_future().wait_for(60s), std::future_status::ready);
  EXPECT_EQ(log_.total(), 5'001u);
  EXPECT_EQ(log_.doubles(), 0u);
  EXPECT_EQ(log_.count("accepted") + log_.count("unsent stopping"), 5'001u);
  EXPECT_GT(log_.count("unsent stopping"), 0u);
  EXPECT_EQ(simulator_.apns_totals().accepted, log_.count("accepted"));
}

TEST_F(apns_transport_test, nothing_is_answered_after_a_stop) {
  start(options());
  submit_all(make_work(10));
  stop_and_wait();
  const auto answered = log_.total();
  EXPECT_EQ(answered, 10u);
  submit_all(make_work(10));
  stop_and_wait();
  EXPECT_EQ(log_.total(), answered);
}

TEST_F(apns_transport_test, a_stop_during_a_stall_ends_with_the_request_timeout) {
  start(patient_options());
  submit_all(make_work(1));
  ASSERT_TRUE(log_.wait_for(1));
  faults(R"({"stall":true})");
  submit_all(make_work(50));
  ASSERT_TRUE(eventually([&] { return transport_->stats().streams.value() > 0; }));
  stop_and_wait();
  EXPECT_EQ(log_.total(), 51u);
  EXPECT_EQ(log_.doubles(), 0u);
}

TEST_F(apns_transport_test, is_destroyed_with_requests_under_way) {
  faults(R"({"latency_ms":[50,60]})");
  start(options());
  submit_all(make_work(2'000));
  ASSERT_TRUE(log_.wait_for(10));
  transport_.reset();
  const auto answered = log_.total();
  EXPECT_LE(answered, 2'000u);
  EXPECT_EQ(log_.doubles(), 0u);
}

TEST_F(apns_transport_test, is_destroyed_on_its_own_thread) {
  start(options());
  std::promise<void> destroyed;
  submit_all(make_work(1));
  ASSERT_TRUE(log_.wait_for(1));
  transport_->stop([&] {
    transport_.reset();
    destroyed.set_value();
  });
  EXPECT_EQ(destroyed.get_future().wait_for(60s), std::future_status::ready);
}

TEST_F(apns_transport_test, an_idle_connection_is_closed_and_opened_again) {
  auto soon = options();
  soon.idle_timeout = 20ms;
  soon.ping_interval = 50ms; // when it is looked at
  soon.ping_timeout = patience;
  start(soon);
  submit_all(make_work(1));
  ASSERT_TRUE(log_.wait_for(1));
  EXPECT_TRUE(eventually([&] { return transport_->stats().connections.value() == 0; }));
  submit_all(make_work(1, 2));
  ASSERT_TRUE(log_.wait_for(2));
  EXPECT_EQ(log_.count("accepted"), 2u);
  EXPECT_EQ(simulator_.apns_totals().connections, 2u);
  EXPECT_EQ(transport_->stats().connect_errors.value(), 0);
}

TEST_F(apns_transport_test, pings_keep_an_idle_connection) {
  tcp_relay relay{simulator_.apns_port()};
  auto lively = options();
  lively.production.port = std::to_string(relay.port());
  lively.ping_interval = 20ms;
  lively.ping_timeout = patience;
  start(lively);
  submit_all(make_work(1));
  ASSERT_TRUE(log_.wait_for(1));
  const auto of_request = relay.sent_up();
  constexpr std::size_t ping = 17; // RFC 9113, sections 4.1 and 6.7
  ASSERT_TRUE(eventually([&] { return relay.sent_up() > of_request + 5 * ping; }));
  submit_all(make_work(1, 2));
  ASSERT_TRUE(log_.wait_for(2));
  EXPECT_EQ(simulator_.apns_totals().connections, 1u);
}

} // namespace
