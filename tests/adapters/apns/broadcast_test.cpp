#include "tests/adapters/apns/transport_fixture.hpp"
#include "tests/adapters/simulator/h2_client.hpp"

#include <boost/json/serialize.hpp>

using namespace signalbox;

namespace {

class apns_broadcast_test : public transport_fixture {
protected:
  /// The id of a new channel; `storage`: 1 keeps the latest message.
  std::string make_channel(int storage) {
    sim::test::h2_client client{simulator_.apns_port(), simulator_.tls()};
    auto request = sim::test::make_message(sim::test::make_provider_token(simulator_.tls()), "00");
    request.path = "/1/apps/com.example.app/channels";
    request.body =
      R"({"push-type":"LiveActivity","message-storage-policy":)" + std::to_string(storage) + "}";
    const auto made = client.send(request);
    EXPECT_EQ(made.status, 201) << made.body;
    return made.fields.at("apns-channel-id");
  }

  work_ptr to_channel(const std::string& channel, std::chrono::seconds ttl = {}) {
    const auto dispatch = about_activity(make_work(1, 7), activity_action::update, channel);
    auto made = std::make_shared<work>(*dispatch);
    made->text = channel;
    made->targets[0].length = static_cast<std::uint16_t>(channel.size());
    if (ttl.count() > 0) {
      auto job = std::make_shared<job_context>(*made->job);
      job->options.ttl = ttl;
      made->job = std::move(job);
    }
    return made;
  }
};

TEST_F(apns_broadcast_test, an_update_goes_to_its_channel) {
  start(options());
  for (const int storage : {0, 1}) {
    const auto channel = make_channel(storage);
    const auto of = to_channel(channel);
    submit_all(of);
    ASSERT_TRUE(log_.wait_for(1 + storage));
    EXPECT_EQ(log_.count("accepted"), 1u + storage) << testing::PrintToString(log_.by_text());
    const auto seen = simulator_.device(channel);
    ASSERT_TRUE(seen);
    const auto& headers = seen->at("last").at("headers").as_object();
    EXPECT_EQ(headers.at("apns-request-id").as_string(),
              push_id_source{of->job->id}.id_for(7).to_string());
    EXPECT_EQ(headers.at("apns-expiration").as_string(), "0");
    EXPECT_EQ(boost::json::serialize(seen->at("last").at("body")),
              R"({"aps":{"timestamp":1700000000,"event":"update","content-state":{"seq":7}}})");
  }
  EXPECT_EQ(simulator_.apns_totals().duplicates, 0u);
}

TEST_F(apns_broadcast_test, a_ttl_is_for_channels_that_store) {
  start(options());
  submit_all(to_channel(make_channel(1), std::chrono::seconds{60}));
  ASSERT_TRUE(log_.wait_for(1));
  EXPECT_EQ(log_.count("accepted"), 1u) << testing::PrintToString(log_.by_text());
  submit_all(to_channel(make_channel(0), std::chrono::seconds{60}));
  ASSERT_TRUE(log_.wait_for(2));
  EXPECT_EQ(log_.count("400 BadExpirationDate"), 1u) << testing::PrintToString(log_.by_text());
}

} // namespace
