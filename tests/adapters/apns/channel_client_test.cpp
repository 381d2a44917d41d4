#include "adapters/apns/channel_client.hpp"
#include "tests/adapters/apns/reserved_port.hpp"
#include "tests/adapters/apns/transport_fixture.hpp"

#include <algorithm>
#include <future>
#include <optional>
#include <set>

namespace signalbox {
namespace {

class channel_client_test : public transport_fixture {
protected:
  apns_channel_options channel_options() {
    apns_channel_options options;
    options.production = {"127.0.0.1", std::to_string(simulator_.apns_port())};
    options.sandbox = {"127.0.0.1", std::to_string(other_environment_.apns_port())};
    options.ca_file = simulator_.tls().ca.string();
    options.request_timeout = std::chrono::seconds{60};
    options.connect_timeout = std::chrono::seconds{60};
    return options;
  }

  void start(const apns_channel_options& options) {
    client_.emplace(options);
    client_->set_app(default_app, app());
  }

  std::future<result<std::string>> create_later(message_storage storage = message_storage::none,
                                                environment env = environment::production) {
    auto promise = std::make_shared<std::promise<result<std::string>>>();
    client_->create_channel(default_app, env, storage, [promise](result<std::string> made) {
      promise->set_value(std::move(made));
    });
    return promise->get_future();
  }
  result<std::string> create(message_storage storage = message_storage::none,
                             environment env = environment::production) {
    return create_later(storage, env).get();
  }
  result<page_of<std::string>> list(page_request page = {},
                                    environment env = environment::production) {
    std::promise<result<page_of<std::string>>> promise;
    client_->list_channels(
      default_app, env, std::move(page),
      [&](result<page_of<std::string>> listed) { promise.set_value(std::move(listed)); });
    return promise.get_future().get();
  }
  result<unit> remove(const std::string& channel) {
    std::promise<result<unit>> promise;
    client_->delete_channel(default_app, environment::production, channel,
                            [&](result<unit> removed) { promise.set_value(std::move(removed)); });
    return promise.get_future().get();
  }

  channel_client_test() { other_environment_.start(); }

  sim::simulator other_environment_{
    sim::simulator_options{.tls_dir = simulator_.tls().dir, .seed = 2}};
  std::optional<apns_channel_client> client_;
};

TEST_F(channel_client_test, creates_lists_and_deletes) {
  start(channel_options());
  const auto first = create();
  const auto second = create(message_storage::latest);
  ASSERT_TRUE(first.ok()) << first.message;
  ASSERT_TRUE(second.ok()) << second.message;
  EXPECT_EQ(list().value.items, (std::vector{std::min(first.value, second.value),
                                             std::max(first.value, second.value)}));
  EXPECT_TRUE(remove(first.value).ok());
  EXPECT_EQ(list().value.items, std::vector{second.value});
  EXPECT_EQ(remove(first.value).code, errc::not_found);
  EXPECT_EQ(remove("not base64").code, errc::invalid);
}

TEST_F(channel_client_test, environments_have_their_own_channels) {
  start(channel_options());
  const auto made = create(message_storage::none, environment::sandbox);
  ASSERT_TRUE(made.ok()) << made.message;
  EXPECT_TRUE(list().value.items.empty());
  EXPECT_EQ(list({}, environment::sandbox).value.items, std::vector{made.value});
}

TEST_F(channel_client_test, long_lists_come_in_pages) {
  start(channel_options());
  std::vector<std::future<result<std::string>>> made;
  std::vector<std::string> ids;
  for (int i = 0; i < 250; ++i)
    made.push_back(create_later());
  for (auto& each : made)
    ids.push_back(each.get().value);
  std::sort(ids.begin(), ids.end());
  std::vector<std::string> listed;
  page_request page;
  page.limit = 100;
  for (const std::size_t size : {100u, 100u, 50u}) {
    const auto got = list(page);
    ASSERT_TRUE(got.ok()) << got.message;
    EXPECT_EQ(got.value.items.size(), size);
    listed.insert(listed.end(), got.value.items.begin(), got.value.items.end());
    page.after = got.value.next;
  }
  EXPECT_EQ(page.after, "");
  EXPECT_EQ(listed, ids);
}

TEST_F(channel_client_test, refusals_say_why) {
  start(channel_options());
  faults(R"({"mix":{"400 FeatureNotEnabled":1}})");
  const auto refused = create();
  EXPECT_EQ(refused.code, errc::conflict);
  EXPECT_NE(refused.message.find("Broadcast Capability"), std::string::npos) << refused.message;
  faults(R"({"mix":{"503 ServiceUnavailable":1}})");
  EXPECT_EQ(create().code, errc::unavailable);
}

TEST_F(channel_client_test, no_answer_ends_in_a_timeout_and_the_next_request_goes_through) {
  auto patient = channel_options();
  patient.request_timeout = patience;
  start(patient);
  const auto first = create();
  ASSERT_TRUE(first.ok()) << first.message;
  faults(R"({"mix":{"no-answer":1}})");
  const auto silent = create();
  EXPECT_EQ(silent.code, errc::unavailable);
  EXPECT_NE(silent.message.find("timeout"), std::string::npos) << silent.message;
  faults(R"({"mix":{"reset":1}})");
  EXPECT_EQ(create().code, errc::unavailable);
  faults(R"({"mix":{}})");
  EXPECT_TRUE(create().ok());
}

TEST_F(channel_client_test, what_was_not_processed_is_sent_again) {
  start(channel_options());
  faults(R"({"goaway_every":2,"refuse_every":3})");
  std::vector<std::future<result<std::string>>> made;
  for (int i = 0; i < 8; ++i)
    made.push_back(create_later());
  std::set<std::string> ids;
  for (auto& each : made) {
    const auto got = each.get();
    EXPECT_TRUE(got.ok()) << got.message;
    ids.insert(got.value);
  }
  EXPECT_EQ(ids.size(), 8u);
}

TEST_F(channel_client_test, a_host_that_cannot_be_reached_is_named) {
  const reserved_port nobody_listens;
  auto options = channel_options();
  options.production.port = std::to_string(nobody_listens.number());
  start(options);
  const auto failed = create();
  EXPECT_EQ(failed.code, errc::unavailable);
  EXPECT_NE(failed.message.find("127.0.0.1:" + options.production.port), std::string::npos)
    << failed.message;
}

TEST_F(channel_client_test, an_app_without_credentials_has_no_channels) {
  client_.emplace(channel_options());
  EXPECT_EQ(create().code, errc::conflict);
  EXPECT_EQ(list().code, errc::conflict);
}

TEST_F(channel_client_test, the_end_answers_what_is_under_way) {
  start(channel_options());
  const auto made = create();
  ASSERT_TRUE(made.ok()) << made.message;
  faults(R"({"stall":true})");
  auto under_way = create_later();
  client_.reset();
  EXPECT_EQ(under_way.get().code, errc::stopping);
}

} // namespace
} // namespace signalbox
