#include "adapters/simulator/simulator.hpp"
#include "adapters/simulator/text_hash.hpp"
#include "tests/adapters/simulator/admin_client.hpp"
#include "tests/adapters/simulator/h2_client.hpp"
#include "tests/adapters/simulator/simulator_fixture.hpp"

#include <boost/asio/error.hpp>
#include <gtest/gtest.h>

#include <chrono>
#include <set>
#include <string>
#include <thread>
#include <vector>

namespace signalbox::sim {
namespace {

using test::apns_id;
using test::device;
using test::h2_client;
using test::message;
using test::response;

class simulator_test : public testing::Test {
protected:
  simulator_test() { target.start(); }

  message valid(int number = 1) {
    return test::make_message(token, device(number)).set("apns-id", apns_id(number));
  }

  void set_faults(const std::string& faults) {
    const auto error = target.set_faults(boost::json::parse(faults).get_object());
    ASSERT_FALSE(error) << error->member << " " << error->detail;
  }

  std::vector<std::int32_t> submit_many(h2_client& client, int count) {
    std::vector<std::int32_t> ids;
    for (int i = 0; i < count; ++i)
      ids.push_back(client.submit(valid(i)));
    return ids;
  }

  static bool all_ended(h2_client& client, const std::vector<std::int32_t>& ids) {
    for (const auto id : ids)
      if (!client.responses[id].ended)
        return false;
    return true;
  }

  simulator target{{.tls_dir = test::shared_tls().dir}};
  const std::string token = test::make_provider_token(target.tls());
};

TEST_F(simulator_test, answers_many_requests_on_one_connection) {
  h2_client client{target.apns_port(), target.tls()};
  EXPECT_EQ(client.max_streams, 1000u);
  const auto ids = submit_many(client, 3000);
  ASSERT_TRUE(client.wait([&] { return all_ended(client, ids); }));
  for (std::size_t i = 0; i < ids.size(); ++i) {
    ASSERT_EQ(client.responses[ids[i]].status, 200);
    ASSERT_EQ(client.responses[ids[i]].fields["apns-id"], apns_id(static_cast<int>(i)));
  }
  const auto totals = target.apns_totals();
  EXPECT_EQ(totals.requests, 3000u);
  EXPECT_EQ(totals.accepted, 3000u);
  EXPECT_EQ(totals.unique_targets, 3000u);
  EXPECT_EQ(totals.unique_apns_ids, 3000u);
  EXPECT_EQ(totals.connections, 1u);
}

TEST_F(simulator_test, answers_a_new_channel_with_its_id) {
  h2_client client{target.apns_port(), target.tls()};
  auto what = valid().set("apns-request-id", apns_id(2));
  what.path = "/1/apps/com.example.app/channels";
  what.body = R"({"message-storage-policy":0,"push-type":"LiveActivity"})";
  const auto got = client.send(what);
  EXPECT_EQ(got.status, 201);
  EXPECT_EQ(got.fields.at("apns-request-id"), apns_id(2));
  EXPECT_EQ(got.fields.at("apns-channel-id").size(), 24u);
}

TEST_F(simulator_test, answers_errors_with_a_body) {
  h2_client client{target.apns_port(), target.tls()};
  const auto got = client.send(valid().set("apns-priority", "7"));
  EXPECT_EQ(got.status, 400);
  EXPECT_EQ(got.body, R"({"reason":"BadPriority"})");
  EXPECT_EQ(got.fields.at("apns-id"), apns_id(1));
}

TEST_F(simulator_test, takes_a_body_in_many_frames_and_refuses_a_huge_one) {
  h2_client client{target.apns_port(), target.tls()};
  auto what = valid();
  what.body = std::string(300'000, 'x');
  EXPECT_EQ(client.send(what).status, 413);
}

TEST_F(simulator_test, refuses_a_malformed_message) {
  h2_client client{target.apns_port(), target.tls()};
  client.scheme = "https:";
  EXPECT_EQ(client.send(valid()).error, NGHTTP2_PROTOCOL_ERROR);
  client.scheme = "https";
  EXPECT_EQ(client.send(valid()).status, 200);
  EXPECT_EQ(target.apns_totals().requests, 1u);
}

TEST_F(simulator_test, fcm_takes_the_scheme_that_its_clients_send_and_counts_by_itself) {
  h2_client client{target.fcm_port(), target.tls()};
  client.scheme = "https:";
  message what;
  what.path = "/v1/projects/signalbox-sim/messages:send";
  const auto got = client.send(what);
  EXPECT_EQ(got.status, 401);
  EXPECT_EQ(got.fields.at("content-type"), "application/json; charset=UTF-8");
  const auto body = boost::json::parse(got.body);
  EXPECT_EQ(body.at("error").at("code"), test::json(401));
  EXPECT_EQ(body.at("error").at("status"), test::json("UNAUTHENTICATED"));
  const auto stats = target.stats();
  EXPECT_EQ(stats.at("requests"), test::json(1));
  EXPECT_EQ(stats.at("fcm").at("by_reason").at("UNAUTHENTICATED"), test::json(1));
  EXPECT_EQ(stats.at("fcm").at("token_requests"), test::json(0));
  EXPECT_EQ(stats.at("apns").at("requests"), test::json(0));
}

TEST_F(simulator_test, fault_answers_carry_retry_after) {
  set_faults(R"({"apns":{"mix":{"503 ServiceUnavailable":1},"retry_after_s":7}})");
  h2_client client{target.apns_port(), target.tls()};
  const auto got = client.send(valid());
  EXPECT_EQ(got.status, 503);
  EXPECT_EQ(got.fields.at("retry-after"), "7");
  EXPECT_EQ(got.body, R"({"reason":"ServiceUnavailable"})");
}

TEST_F(simulator_test, no_answer_leaves_the_stream_open) {
  set_faults(R"({"apns":{"mix":{"no-answer":1}}})");
  h2_client client{target.apns_port(), target.tls()};
  const auto silent = client.submit(valid(1));
  ASSERT_TRUE(client.round_trip());
  set_faults(R"({"apns":{"mix":{}}})");
  EXPECT_EQ(client.send(valid(2)).status, 200);
  EXPECT_FALSE(client.responses[silent].ended);
  EXPECT_EQ(target.apns_totals().accepted, 2u);
  EXPECT_EQ(target.apns_totals().unanswered, 1u);
}

TEST_F(simulator_test, counts_the_requests_that_lost_their_answer) {
  set_faults(R"({"apns":{"stall":true}})");
  {
    h2_client gone{target.apns_port(), target.tls()};
    submit_many(gone, 5);
    ASSERT_TRUE(gone.round_trip());
  }
  h2_client client{target.apns_port(), target.tls()};
  const auto ids = submit_many(client, 5);
  ASSERT_TRUE(client.round_trip());
  client.cancel(ids[0]);
  ASSERT_TRUE(client.round_trip());
  // The first connection's end may be noticed late.
  ASSERT_TRUE(client.wait([&] { return target.apns_totals().unanswered >= 6; }));
  set_faults(R"({"apns":{"stall":false}})");
  ASSERT_TRUE(client.wait([&] { return all_ended(client, ids); }));
  set_faults(R"({"apns":{"mix":{"reset":1}}})");
  client.submit(valid());
  ASSERT_TRUE(client.wait([&] { return client.closed; }));
  EXPECT_EQ(target.apns_totals().unanswered, 7u);
  EXPECT_EQ(target.apns_totals().requests, 11u);
}

TEST_F(simulator_test, reset_breaks_the_connection) {
  set_faults(R"({"apns":{"mix":{"reset":1}}})");
  h2_client client{target.apns_port(), target.tls()};
  client.submit(valid());
  ASSERT_TRUE(client.wait([&] { return client.closed; }));
  EXPECT_EQ(client.close_error, boost::asio::error::connection_reset);
  EXPECT_EQ(target.apns_totals().accepted, 1u);
}

TEST_F(simulator_test, latency_delays_answers) {
  set_faults(R"({"apns":{"latency_ms":[30,60]}})");
  h2_client client{target.apns_port(), target.tls()};
  const auto start = std::chrono::steady_clock::now();
  const auto ids = submit_many(client, 200);
  ASSERT_TRUE(client.wait([&] { return all_ended(client, ids); }));
  EXPECT_GE(std::chrono::steady_clock::now() - start, std::chrono::milliseconds{29});
  for (const auto id : ids)
    EXPECT_EQ(client.responses[id].status, 200);
}

TEST_F(simulator_test, delayed_answers_survive_cancelled_streams_and_closed_connections) {
  set_faults(R"({"apns":{"latency_ms":[30,60]}})");
  {
    h2_client gone{target.apns_port(), target.tls()};
    submit_many(gone, 50);
    ASSERT_TRUE(gone.round_trip());
  }
  h2_client client{target.apns_port(), target.tls()};
  std::int32_t cancelled = 0;
  do { // until one has no answer yet when it is cancelled
    cancelled = client.submit(valid(1));
    ASSERT_TRUE(client.round_trip());
  } while (client.responses[cancelled].ended);
  client.cancel(cancelled);
  EXPECT_EQ(client.send(valid(2)).status, 200);
  EXPECT_EQ(client.responses[cancelled].status, 0);
}

TEST_F(simulator_test, a_stall_holds_answers_until_it_ends) {
  set_faults(R"({"apns":{"stall":true}})");
  h2_client client{target.apns_port(), target.tls()};
  const auto ids = submit_many(client, 20);
  ASSERT_TRUE(client.round_trip());
  EXPECT_EQ(target.apns_totals().requests, 20u);
  for (const auto id : ids)
    EXPECT_FALSE(client.responses[id].ended);
  set_faults(R"({"apns":{"stall":false}})");
  ASSERT_TRUE(client.wait([&] { return all_ended(client, ids); }));
  for (const auto id : ids)
    EXPECT_EQ(client.responses[id].status, 200);
}

TEST_F(simulator_test, goaway_finishes_what_it_names_and_leaves_the_rest_unprocessed) {
  set_faults(R"({"apns":{"goaway_every":10}})");
  h2_client client{target.apns_port(), target.tls()};
  const auto ids = submit_many(client, 30);
  ASSERT_TRUE(client.wait([&] { return client.closed; }));
  ASSERT_TRUE(client.goaway_last_stream);
  std::uint64_t answered = 0;
  for (const auto id : ids) {
    const auto& got = client.responses[id];
    EXPECT_EQ(got.status, id <= *client.goaway_last_stream ? 200 : 0) << id;
    answered += got.status == 200 ? 1 : 0;
  }
  EXPECT_EQ(answered, 10u);
  EXPECT_EQ(target.apns_totals().requests, answered);
  EXPECT_EQ(target.apns_totals().goaways, 1u);
  h2_client next{target.apns_port(), target.tls()};
  EXPECT_EQ(next.send(valid()).status, 200);
}

TEST_F(simulator_test, refused_streams_are_no_requests) {
  set_faults(R"({"apns":{"refuse_every":3}})");
  h2_client client{target.apns_port(), target.tls()};
  const auto ids = submit_many(client, 30);
  ASSERT_TRUE(client.wait([&] { return all_ended(client, ids); }));
  int refused = 0;
  for (const auto id : ids)
    refused += client.responses[id].error == NGHTTP2_REFUSED_STREAM ? 1 : 0;
  EXPECT_EQ(refused, 10);
  EXPECT_EQ(target.apns_totals().requests, 20u);
  EXPECT_EQ(target.apns_totals().refused_streams, 10u);
  EXPECT_EQ(target.apns_totals().accepted, 20u);
}

TEST_F(simulator_test, max_streams_is_announced_to_open_connections) {
  h2_client client{target.apns_port(), target.tls()};
  EXPECT_EQ(client.max_streams, 1000u);
  set_faults(R"({"apns":{"max_streams":3}})");
  ASSERT_TRUE(client.wait([&] { return client.max_streams == 3u; }));
  const auto ids = submit_many(client, 20);
  ASSERT_TRUE(client.wait([&] { return all_ended(client, ids); }));
  for (const auto id : ids)
    EXPECT_EQ(client.responses[id].status, 200);
  target.reset();
  EXPECT_TRUE(client.wait([&] { return client.max_streams == 1000u; }));
}

TEST_F(simulator_test, streams_beyond_max_streams_are_refused) {
  set_faults(R"({"apns":{"stall":true}})");
  h2_client client{target.apns_port(), target.tls()};
  set_faults(R"({"apns":{"max_streams":5}})");
  // The client has not read the new limit yet.
  const auto ids = submit_many(client, 20);
  ASSERT_TRUE(client.wait([&] {
    int ended = 0;
    for (const auto id : ids)
      ended += client.responses[id].ended ? 1 : 0;
    return ended == 15;
  }));
  int refused = 0;
  for (const auto id : ids)
    refused += client.responses[id].error == NGHTTP2_REFUSED_STREAM ? 1 : 0;
  EXPECT_EQ(refused, 15);
}

TEST_F(simulator_test, a_cold_connection_allows_one_stream_until_a_valid_token) {
  set_faults(R"({"apns":{"warmup":true}})");
  h2_client client{target.apns_port(), target.tls()};
  EXPECT_EQ(client.max_streams, 1u);
  EXPECT_EQ(client.send(valid().set("authorization", "bearer x")).status, 403);
  ASSERT_TRUE(client.round_trip());
  EXPECT_EQ(client.max_streams, 1u);
  EXPECT_EQ(client.send(valid()).status, 200);
  EXPECT_TRUE(client.wait([&] { return client.max_streams == 1000u; }));
}

TEST_F(simulator_test, reset_clears_counters_and_faults) {
  set_faults(R"({"apns":{"mix":{"410 Unregistered":1},"stall":true}})");
  h2_client client{target.apns_port(), target.tls()};
  const auto held = client.submit(valid());
  ASSERT_TRUE(client.round_trip());
  target.reset();
  ASSERT_TRUE(client.wait([&] { return client.responses[held].ended; }));
  EXPECT_EQ(target.apns_totals().requests, 0u);
  EXPECT_TRUE(target.apns_totals().by_reason.empty());
  EXPECT_EQ(client.send(valid()).status, 200);
}

TEST_F(simulator_test, faults_of_one_provider_do_not_touch_the_other) {
  set_faults(R"({"fcm":{"stall":true,"max_streams":4}})");
  h2_client apns{target.apns_port(), target.tls()};
  h2_client fcm{target.fcm_port(), target.tls()};
  EXPECT_EQ(apns.max_streams, 1000u);
  EXPECT_EQ(fcm.max_streams, 4u);
  EXPECT_EQ(apns.send(valid()).status, 200);
}

TEST_F(simulator_test, bad_faults_change_nothing) {
  const auto error = target.set_faults(
    boost::json::parse(R"({"apns":{"stall":true},"fcm":{"stal":true}})").get_object());
  ASSERT_TRUE(error);
  EXPECT_EQ(error->member, "fcm/stal");
  h2_client client{target.apns_port(), target.tls()};
  EXPECT_EQ(client.send(valid()).status, 200);
}

TEST_F(simulator_test, stop_says_goaway_and_sends_what_waits) {
  set_faults(R"({"apns":{"stall":true}})");
  h2_client client{target.apns_port(), target.tls()};
  const auto held = client.submit(valid());
  ASSERT_TRUE(client.round_trip());
  std::thread stopping{[this] { target.stop(); }};
  EXPECT_TRUE(client.wait([&] { return client.closed; }));
  stopping.join();
  EXPECT_EQ(client.responses[held].status, 200);
  EXPECT_TRUE(client.goaway_last_stream);
  EXPECT_EQ(target.apns_totals().requests, 1u);
}

TEST_F(simulator_test, stop_does_not_wait_for_latencies) {
  set_faults(R"({"apns":{"latency_ms":[600000,600000]}})");
  h2_client client{target.apns_port(), target.tls()};
  const auto delayed = client.submit(valid());
  ASSERT_TRUE(client.round_trip());
  std::thread stopping{[this] { target.stop(); }};
  EXPECT_TRUE(client.wait([&] { return client.closed; }));
  stopping.join();
  EXPECT_EQ(client.responses[delayed].status, 200);
}

TEST_F(simulator_test, stop_does_not_wait_for_a_peer_that_reads_nothing) {
  h2_client client{target.apns_port(), target.tls()};
  target.stop();
  EXPECT_EQ(target.apns_totals().connections, 1u);
}

TEST_F(simulator_test, two_simulators_live_side_by_side) {
  simulator other{{.tls_dir = test::shared_tls().dir, .bundle = "com.example.other"}};
  other.start();
  const std::set<std::uint16_t> ports{target.apns_port(), target.fcm_port(), target.admin_port(),
                                      other.apns_port(),  other.fcm_port(),  other.admin_port()};
  EXPECT_EQ(ports.size(), 6u);
  h2_client client{other.apns_port(), other.tls()};
  EXPECT_EQ(client.send(valid()).status, 400);
  EXPECT_EQ(client.send(valid().set("apns-topic", "com.example.other")).status, 200);
}

TEST(simulator_ports_test, a_taken_port_is_an_error) {
  simulator first{{.tls_dir = test::shared_tls().dir}};
  EXPECT_THROW((simulator{{.apns_port = first.apns_port(), .tls_dir = test::shared_tls().dir}}),
               std::exception);
}

TEST(simulator_tls_dir_test, a_directory_of_its_own_goes_with_it) {
  std::filesystem::path directory;
  {
    simulator target{{}};
    directory = target.tls().dir;
    EXPECT_TRUE(std::filesystem::exists(target.tls().ca));
  }
  EXPECT_FALSE(std::filesystem::exists(directory));
}

TEST_F(simulator_test, admin_serves_stats) {
  h2_client client{target.apns_port(), target.tls()};
  EXPECT_EQ(client.send(valid()).status, 200);
  test::admin_client admin{target.admin_port()};
  const auto got = admin.get("/stats");
  EXPECT_EQ(got.status, 200);
  EXPECT_EQ(got.content_type, "application/json");
  const std::vector<std::string> names{
    "requests",        "accepted",        "rejected",   "by_reason",      "unique_targets",
    "unique_accepted", "unique_apns_ids", "duplicates", "out_of_order",   "timestamp_decreased",
    "unanswered",      "connections",     "goaways",    "refused_streams"};
  for (const auto& name : names) {
    EXPECT_TRUE(got.body.at("apns").as_object().contains(name)) << name;
    EXPECT_TRUE(got.body.at("fcm").as_object().contains(name)) << name;
    EXPECT_TRUE(got.body.as_object().contains(name)) << name;
  }
  EXPECT_EQ(got.body.as_object().size(), names.size() + 2);
  EXPECT_EQ(got.body.at("requests"), test::json(1));
  EXPECT_EQ(got.body.at("apns").at("channel_requests"), test::json(0));
  EXPECT_EQ(got.body.at("apns").at("unique_targets"), test::json(1));
}

TEST_F(simulator_test, admin_sets_and_resets_faults) {
  test::admin_client admin{target.admin_port()};
  h2_client client{target.apns_port(), target.tls()};
  EXPECT_EQ(admin.post("/faults", R"({"apns":{"mix":{"500 InternalServerError":1}}})").status, 200);
  EXPECT_EQ(client.send(valid()).status, 500);
  EXPECT_EQ(admin.post("/reset", "").status, 200);
  EXPECT_EQ(client.send(valid()).status, 200);
  EXPECT_EQ(admin.get("/stats").body.at("requests"), test::json(1));
}

TEST_F(simulator_test, admin_refuses_bad_faults_by_name) {
  test::admin_client admin{target.admin_port()};
  const auto refused = [&](const std::string& body, const std::string& pointer) {
    const auto got = admin.post("/faults", body);
    EXPECT_EQ(got.status, 400) << body;
    EXPECT_EQ(got.content_type, "application/problem+json");
    if (!pointer.empty()) {
      EXPECT_EQ(got.body.at("errors").at(0).at("pointer"), test::json(pointer));
    }
  };
  refused("{", "");
  refused("[]", "");
  refused(R"({"apple":{}})", "/apple");
  refused(R"({"apns":1})", "/apns");
  refused(R"({"record_devices":1})", "/record_devices");
  refused(R"({"apns":{"stall":1}})", "/apns/stall");
  refused(R"({"fcm":{"nothing":1}})", "/fcm/nothing");
  refused(R"({"apns":{"mix":{"503 X":2}}})", "/apns/mix/503 X");
}

TEST_F(simulator_test, admin_knows_its_paths_and_methods) {
  test::admin_client admin{target.admin_port()};
  EXPECT_EQ(admin.get("/livez").status, 200);
  EXPECT_EQ(admin.get("/stats/").status, 200);
  EXPECT_EQ(admin.get("/nothing").status, 404);
  EXPECT_EQ(admin.get("/faults").status, 405);
  EXPECT_EQ(admin.post("/stats", "").status, 405);
  EXPECT_EQ(admin.post("/faults", std::string(2 * 1024 * 1024, ' ')).status, 413);
}

TEST_F(simulator_test, admin_shows_devices) {
  test::admin_client admin{target.admin_port()};
  h2_client client{target.apns_port(), target.tls()};
  const auto path = "/stats/devices?token=" + device(1);
  EXPECT_EQ(admin.get(path).status, 404);
  EXPECT_EQ(client.send(valid()).status, 200);
  const auto got = admin.get(path);
  EXPECT_EQ(got.status, 200);
  EXPECT_EQ(got.body.at("token"), test::json(device(1)));
  EXPECT_EQ(got.body.at("requests"), test::json(1));
  EXPECT_EQ(got.body.at("last").at("headers").at("apns-id"), test::json(apns_id(1)));
  EXPECT_EQ(got.body.at("last").at("body").at("aps").at("alert"), test::json("hello"));
  EXPECT_EQ(admin.get("/stats/devices?token=%30" + device(1).substr(1)).status, 200);
  EXPECT_EQ(admin.get("/stats/devices").status, 400);
  EXPECT_EQ(admin.post("/reset", "").status, 200);
  EXPECT_EQ(admin.get(path).status, 404);
}

} // namespace
} // namespace signalbox::sim
