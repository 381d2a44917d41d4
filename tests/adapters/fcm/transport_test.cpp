#include "actors/fcm_reactions.hpp"
#include "adapters/fcm/transport.hpp"
#include "adapters/simulator/text_hash.hpp"
#include "tests/adapters/apns/tcp_relay.hpp"
#include "tests/adapters/apns/transport_fixture.hpp"
#include "tests/adapters/fcm/fcm_fixture.hpp"

#include <future>

using namespace signalbox;
using namespace std::chrono_literals;

namespace {

std::string registration(std::uint64_t number) {
  char text[64];
  std::snprintf(text, sizeof text, "registration:APA91b%030llu",
                static_cast<unsigned long long>(number));
  return text;
}

work_ptr fcm_work(std::uint32_t count, token_id first_id = 1, job_options options = {}) {
  const auto apns = make_work(0, first_id);
  auto job = std::make_shared<job_context>(*apns->job);
  job->options = options;
  auto made = std::make_shared<work>();
  made->key = apns->key;
  made->dest = {default_app, platform::fcm, environment::production};
  made->job = std::move(job);
  for (std::uint32_t i = 0; i < count; ++i) {
    const auto token = registration(static_cast<std::uint64_t>(first_id) + i);
    made->targets.push_back({first_id + i, i, static_cast<std::uint32_t>(made->text.size()),
                             static_cast<std::uint16_t>(token.size()), 0});
    made->text += token;
  }
  return made;
}

class fcm_transport_test : public fcm_fixture {
protected:
  fcm_transport_test() : keeper_{token_options()} {}

  fcm_transport_options options() {
    fcm_transport_options options;
    options.server = {"127.0.0.1", std::to_string(simulator_.fcm_port())};
    options.ca_file = simulator_.tls().ca.string();
    options.request_timeout = 60s;
    options.connect_timeout = 60s;
    options.ping_timeout = 60s;
    options.reconnect = {5ms, 100ms};
    options.job_marker = "signalbox_job";
    return options;
  }

  void start() { start(options()); }

  void start(fcm_transport_options options) {
    token_ = keeper_.token_for(simulator_.tls().service_account);
    transport_ = std::make_unique<fcm_transport>(std::move(options));
    transport_->set_app(default_app, token_);
    transport_->on_answers([this](std::vector<answer_batch> batches) { log_.take(batches); });
  }

  /// Requests time out after a while.
  fcm_transport_options patient_options() {
    auto patient = options();
    patient.request_timeout = patience;
    return patient;
  }

  void submit_all(const work_ptr& of) {
    transport_->submit(of, 0, static_cast<std::uint32_t>(of->targets.size()));
  }

  access_token_keeper keeper_;
  std::shared_ptr<access_token> token_;
  answer_log log_;
  std::unique_ptr<fcm_transport> transport_;
};

TEST_F(fcm_transport_test, targets_wait_for_the_first_access_token) {
  faults(R"({"token_status":503})");
  start();
  submit_all(fcm_work(10));
  ASSERT_TRUE(eventually([&] { return simulator_.fcm_totals().token_requests >= 2; }));
  EXPECT_EQ(log_.total(), 0u);
  faults(R"({"token_status":0})");
  ASSERT_TRUE(log_.wait_for(10));
  EXPECT_EQ(log_.count("accepted"), 10u);
}

TEST_F(fcm_transport_test, a_live_activity_reaches_fcm_as_rendered) {
  start();
  std::size_t sent = 0;
  for (const auto action :
       {activity_action::start, activity_action::update, activity_action::end}) {
    submit_all(about_activity(fcm_work(1, 7), action));
    ASSERT_TRUE(log_.wait_for(++sent));
  }
  EXPECT_EQ(log_.count("accepted"), 3u) << testing::PrintToString(log_.by_text());
  const auto device = simulator_.device(registration(7));
  ASSERT_TRUE(device);
  const auto& message = device->at("last").at("body").at("message");
  EXPECT_EQ(message.at("data").at("action").as_string(), "end");
  EXPECT_EQ(message.at("data").at("payload").as_string(), R"({"seq":7})");
  EXPECT_EQ(message.at("data").at("seq").as_string(), "7");
  EXPECT_EQ(message.at("android").at("collapse_key").as_string(), "order-1");
}

TEST_F(fcm_transport_test, every_target_of_many_works_is_answered_once) {
  start();
  std::size_t total = 0;
  for (int i = 0; i < 20; ++i) {
    const auto of = fcm_work(1'000, 1 + 1'000 * i);
    transport_->submit(of, 0, 300);
    transport_->submit(of, 300, 700);
    total += 1'000;
  }
  ASSERT_TRUE(log_.wait_for(total)) << log_.total();
  EXPECT_EQ(log_.count("accepted"), total);
  EXPECT_EQ(log_.doubles(), 0u);
  const auto seen = simulator_.fcm_totals();
  EXPECT_EQ(seen.requests, total);
  EXPECT_EQ(seen.accepted, total);
  EXPECT_EQ(seen.unique_targets, total);
  EXPECT_EQ(seen.unique_apns_ids, total) << "each message has its job's marker";
  EXPECT_EQ(seen.duplicates, 0u);
  EXPECT_EQ(transport_->stats().streams.value(), 0);
}

TEST_F(fcm_transport_test, a_request_reaches_fcm_as_rendered) {
  simulator_.set_faults(boost::json::parse(R"({"record_devices":true})").as_object());
  start();
  job_options lasting;
  lasting.ttl = 3600s;
  const auto before = std::chrono::steady_clock::now();
  const auto of = fcm_work(1, 7, lasting);
  submit_all(of);
  ASSERT_TRUE(log_.wait_for(1));
  const auto took = std::chrono::steady_clock::now() - before;
  const auto device = simulator_.device(registration(7));
  ASSERT_TRUE(device);
  const auto& last = device->at("last");
  EXPECT_EQ(last.at("headers").at("content-type").as_string(), "application/json");
  const auto& message = last.at("body").at("message");
  EXPECT_EQ(message.at("token").as_string(), registration(7));
  EXPECT_EQ(message.at("notification").at("title").as_string(), "Hi");
  EXPECT_EQ(message.at("android").at("notification").at("tag").as_string(),
            of->job->id.to_string());
  EXPECT_EQ(message.at("data").at("signalbox_job").as_string(), of->job->id.to_string());
  const std::string ttl{message.at("android").at("ttl").as_string()};
  EXPECT_TRUE(ttl.ends_with('s')) << ttl;
  EXPECT_LE(std::stoi(ttl), 3600);
  EXPECT_GE(std::stoi(ttl), 3599 - std::chrono::ceil<std::chrono::seconds>(took).count());
}

TEST_F(fcm_transport_test, what_waited_past_its_deadline_is_not_sent) {
  faults(R"({"token_status":503})");
  start();
  job_options options;
  options.expires_at =
    std::chrono::floor<std::chrono::milliseconds>(std::chrono::system_clock::now()) + 300ms;
  submit_all(fcm_work(5, 1, options));
  std::this_thread::sleep_until(*options.expires_at + 1ms);
  faults(R"({"token_status":0})");
  ASSERT_TRUE(log_.wait_for(5));
  EXPECT_EQ(log_.count("unsent expired"), 5u);
  EXPECT_EQ(simulator_.fcm_totals().requests, 0u);
}

TEST_F(fcm_transport_test, a_token_that_cannot_be_one_is_refused_without_fcm) {
  start();
  auto of = std::make_shared<work>(*fcm_work(3));
  of->text[of->targets[1].offset + 5] = '"';
  submit_all(of);
  ASSERT_TRUE(log_.wait_for(3));
  EXPECT_EQ(log_.count("accepted"), 2u);
  EXPECT_EQ(log_.count("400 INVALID_ARGUMENT:message.token"), 1u);
}

struct scripted {
  const char* key;
  const char* text;
};

class fcm_answer_test : public fcm_transport_test, public testing::WithParamInterface<scripted> {};

TEST_P(fcm_answer_test, is_read_with_its_code) {
  faults(std::string{R"({"mix":{")"} + GetParam().key + R"(":1.0}})");
  start();
  submit_all(fcm_work(1));
  ASSERT_TRUE(log_.wait_for(1));
  EXPECT_EQ(log_.count(GetParam().text), 1u) << log_.by_text().begin()->first;
}

const scripted scripted_answers[] = {
  {"404 UNREGISTERED", "404 UNREGISTERED"},
  {"403 SENDER_ID_MISMATCH", "403 SENDER_ID_MISMATCH"},
  {"400 INVALID_ARGUMENT", "400 INVALID_ARGUMENT:message.token"},
  {"401 THIRD_PARTY_AUTH_ERROR", "401 THIRD_PARTY_AUTH_ERROR"},
  {"403 PERMISSION_DENIED", "403 PERMISSION_DENIED"},
  {"429 QUOTA_EXCEEDED", "429 QUOTA_EXCEEDED"},
  {"500 INTERNAL", "500 INTERNAL"},
  {"503 UNAVAILABLE", "503 UNAVAILABLE"},
};

INSTANTIATE_TEST_SUITE_P(all, fcm_answer_test, testing::ValuesIn(scripted_answers),
                         [](const auto& info) { return std::string{info.param.key}.substr(4); });

TEST_F(fcm_transport_test, dead_tokens_are_told_one_by_one) {
  faults(R"({"mix":{"404 UNREGISTERED":0.3}})");
  start();
  submit_all(fcm_work(2'000));
  ASSERT_TRUE(log_.wait_for(2'000));
  std::size_t dead = 0;
  for (std::uint64_t i = 1; i <= 2'000; ++i)
    dead += sim::text_fraction(registration(i)) < 0.3 ? 1 : 0;
  EXPECT_EQ(log_.count("404 UNREGISTERED"), dead);
  EXPECT_EQ(log_.count("accepted"), 2'000 - dead);
}

TEST_F(fcm_transport_test, faults_of_connections_lose_nothing) {
  faults(R"({"goaway_every":300,"refuse_every":50,"max_streams":40})");
  start();
  submit_all(fcm_work(5'000));
  ASSERT_TRUE(log_.wait_for(5'000));
  EXPECT_EQ(log_.count("accepted"), 5'000u);
  EXPECT_EQ(log_.doubles(), 0u);
  EXPECT_EQ(simulator_.fcm_totals().duplicates, 0u);
  EXPECT_GT(simulator_.fcm_totals().goaways, 0u);
}

TEST_F(fcm_transport_test, silence_and_resets_are_unknown) {
  start(patient_options());
  ASSERT_TRUE(eventually([&] { return has_token(*token_); }));
  faults(R"({"mix":{"no-answer":0.005,"reset":0.001}})");
  submit_all(fcm_work(3'000));
  ASSERT_TRUE(log_.wait_for(3'000));
  EXPECT_EQ(log_.doubles(), 0u);
  EXPECT_GT(log_.count(answer_kind::unknown), 0u);
  EXPECT_EQ(log_.count("accepted") + log_.count(answer_kind::unknown) +
              log_.count(answer_kind::unsent),
            3'000u);
}

TEST_F(fcm_transport_test, a_stall_ends_in_unknown_and_the_bodies_outlive_it) {
  start(patient_options());
  submit_all(fcm_work(1));
  ASSERT_TRUE(log_.wait_for(1));
  faults(R"({"stall":true})");
  submit_all(fcm_work(100, 10));
  ASSERT_TRUE(log_.wait_for(101));
  EXPECT_EQ(log_.count(answer_kind::unknown), 100u);
  faults(R"({"stall":false})");
  submit_all(fcm_work(100, 200));
  ASSERT_TRUE(log_.wait_for(201));
  EXPECT_EQ(log_.count("accepted"), 101u);
}

TEST_F(fcm_transport_test, a_token_that_ends_in_flight_is_replaced_and_nothing_leaves_with_it) {
  start();
  submit_all(fcm_work(100));
  ASSERT_TRUE(log_.wait_for(100));
  faults(R"({"token_generation":1,"latency_ms":[20,20]})");
  submit_all(fcm_work(2'000, 200));
  ASSERT_TRUE(log_.wait_for(2'100));
  // Those that were on their way; the others waited for the new token.
  const auto refused = log_.count("401 UNAUTHENTICATED");
  EXPECT_GT(refused, 0u);
  EXPECT_LE(refused, 400u);
  EXPECT_EQ(log_.count("accepted"), 2'100 - refused);
  EXPECT_EQ(simulator_.fcm_totals().token_requests, 2u);
}

TEST_F(fcm_transport_test, an_account_that_fcm_refuses_is_told_apart) {
  faults(R"({"mix":{"401 UNAUTHENTICATED":1.0}})");
  start();
  submit_all(fcm_work(1));
  ASSERT_TRUE(log_.wait_for(1));
  EXPECT_EQ(log_.count("401 UNAUTHENTICATED"), 1u);
  submit_all(fcm_work(1, 2));
  ASSERT_TRUE(log_.wait_for(2));
  EXPECT_EQ(log_.count("401 UNAUTHENTICATED"), 2u) << "one more new token may be better";
  submit_all(fcm_work(1, 3));
  ASSERT_TRUE(log_.wait_for(3));
  EXPECT_EQ(log_.count("401 credentials_refused"), 1u);
}

TEST_F(fcm_transport_test, after_429_nothing_leaves_before_its_time_from_any_transport) {
  start();
  auto other = std::make_unique<fcm_transport>(options());
  other->set_app(default_app, token_);
  other->on_answers([this](std::vector<answer_batch> batches) { log_.take(batches); });
  submit_all(fcm_work(1));
  ASSERT_TRUE(log_.wait_for(1));
  other->submit(fcm_work(1, 2), 0, 1);
  ASSERT_TRUE(log_.wait_for(2));

  faults(R"({"mix":{"429 QUOTA_EXCEEDED":1.0},"retry_after_s":2})");
  const auto before = std::chrono::steady_clock::now();
  submit_all(fcm_work(1, 3));
  ASSERT_TRUE(log_.wait_for(3));
  EXPECT_EQ(log_.others().at(0).retry_after_s, 2u);
  faults(R"({"mix":{}})");
  submit_all(fcm_work(500, 10));
  other->submit(fcm_work(500, 1'000), 0, 500);
  ASSERT_TRUE(eventually([&] { return simulator_.fcm_totals().requests > 3; }));
  EXPECT_GE(std::chrono::steady_clock::now() - before, 2s);
  ASSERT_TRUE(log_.wait_for(1'003));
  EXPECT_EQ(log_.count("accepted"), 1'002u);
}

TEST_F(fcm_transport_test, while_429_goes_on_one_request_at_a_time_finds_out) {
  faults(R"({"mix":{"429 QUOTA_EXCEEDED":1.0},"retry_after_s":1})");
  start();
  const auto before = std::chrono::steady_clock::now();
  submit_all(fcm_work(1));
  ASSERT_TRUE(log_.wait_for(1));
  submit_all(fcm_work(300, 10));
  ASSERT_TRUE(log_.wait_for(2));
  const auto asked = log_.total();
  const auto took = std::chrono::steady_clock::now() - before;
  EXPECT_LE(asked, 1u + static_cast<std::size_t>(took / 1s)) << "one a second at the most";
  faults(R"({"mix":{}})");
  ASSERT_TRUE(log_.wait_for(301));
  EXPECT_EQ(log_.count("accepted") + log_.count("429 QUOTA_EXCEEDED"), 301u);
  EXPECT_GT(log_.count("accepted"), 250u);
}

TEST_F(fcm_transport_test, what_would_wait_for_long_goes_back_at_once) {
  faults(R"({"mix":{"429 QUOTA_EXCEEDED":1.0},"retry_after_s":300})");
  start();
  submit_all(fcm_work(1));
  ASSERT_TRUE(log_.wait_for(1));
  submit_all(fcm_work(50, 10));
  ASSERT_TRUE(log_.wait_for(51));
  EXPECT_EQ(log_.count("unsent paced"), 50u);
  EXPECT_EQ(simulator_.fcm_totals().requests, 1u);
}

TEST_F(fcm_transport_test, a_stop_answers_what_a_gate_holds_back) {
  faults(R"({"mix":{"429 QUOTA_EXCEEDED":1.0},"retry_after_s":50})");
  start();
  submit_all(fcm_work(1));
  ASSERT_TRUE(log_.wait_for(1));
  submit_all(fcm_work(50, 10));
  std::promise<void> stopped;
  transport_->stop([&] { stopped.set_value(); });
  ASSERT_EQ(stopped.get_future().wait_for(60s), std::future_status::ready);
  EXPECT_EQ(log_.count("unsent stopping"), 50u);
}

TEST_F(fcm_transport_test, what_a_gate_holds_back_is_unsent_when_there_is_no_connection_either) {
  tcp_relay relay{simulator_.fcm_port()};
  auto through = patient_options();
  through.server.port = std::to_string(relay.port());
  through.ping_interval = 100ms;
  through.ping_timeout = 1s;
  start(through);
  submit_all(fcm_work(1));
  ASSERT_TRUE(log_.wait_for(1));
  faults(R"({"mix":{"429 QUOTA_EXCEEDED":1.0},"retry_after_s":5})");
  submit_all(fcm_work(1, 2));
  ASSERT_TRUE(log_.wait_for(2));
  relay.freeze();
  submit_all(fcm_work(5, 10));
  ASSERT_TRUE(log_.wait_for(7));
  EXPECT_GE(log_.count(answer_kind::unsent), 4u) << "one may have gone to find out for all";
}

TEST_F(fcm_transport_test, what_a_gate_holds_back_is_unsent_when_there_is_no_token_either) {
  start(patient_options());
  submit_all(fcm_work(1));
  ASSERT_TRUE(log_.wait_for(1));
  faults(R"({"mix":{"429 QUOTA_EXCEEDED":1.0},"retry_after_s":2})");
  submit_all(fcm_work(1, 2));
  ASSERT_TRUE(log_.wait_for(2));
  faults(R"({"token_status":503})");
  ASSERT_FALSE(token_->report_refused(1, access_token::clock::now()));
  submit_all(fcm_work(5, 10));
  ASSERT_TRUE(log_.wait_for(7));
  EXPECT_EQ(log_.count("unsent no_access_token"), 5u);
}

TEST_F(fcm_transport_test, an_app_without_an_account_is_told_so) {
  start();
  transport_->remove_app(default_app);
  submit_all(fcm_work(5));
  ASSERT_TRUE(log_.wait_for(5));
  EXPECT_EQ(log_.count("unsent no_credentials"), 5u);
}

TEST_F(fcm_transport_test, without_a_token_for_too_long_what_waits_is_unsent) {
  faults(R"({"token_status":400})");
  start(patient_options());
  submit_all(fcm_work(5));
  ASSERT_TRUE(log_.wait_for(5));
  EXPECT_EQ(log_.count("unsent no_credentials"), 5u);
}

TEST_F(fcm_transport_test, a_token_that_is_lost_on_a_warm_connection_is_waited_for) {
  start(patient_options());
  submit_all(fcm_work(1));
  ASSERT_TRUE(log_.wait_for(1));
  faults(R"({"token_status":503,"token_generation":1})");
  submit_all(fcm_work(1, 2));
  ASSERT_TRUE(log_.wait_for(2));
  submit_all(fcm_work(3, 3));
  ASSERT_TRUE(log_.wait_for(5)) << "given up after the request timeout";
  EXPECT_EQ(log_.count("unsent no_access_token"), 3u);
  faults(R"({"token_status":0})");
  submit_all(fcm_work(3, 10));
  ASSERT_TRUE(log_.wait_for(8));
  EXPECT_EQ(log_.count("accepted"), 4u);
}

} // namespace
