#include "adapters/http2/delivery_loop.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <future>
#include <semaphore>
#include <stdexcept>

using namespace signalbox;

namespace {

TEST(delivery_loop, outlives_a_pool_that_cannot_be_made_and_answers_its_targets_unsent) {
  delivery_loop loop{{.thread_name = "test",
                      .ca_file = "",
                      .setup = [](const destination&) -> std::optional<pool_setup> {
                        throw std::runtime_error{"no memory"};
                      }}};
  std::promise<std::vector<answer_batch>> answered;
  loop.on_answers(
    [&](std::vector<answer_batch> batches) { answered.set_value(std::move(batches)); });
  for (int i = 0; i < 2; ++i) {
    answered = {};
    auto made = std::make_shared<work>();
    made->targets.resize(3);
    loop.submit(made, 1, 2);
    const auto batches = answered.get_future().get();
    ASSERT_EQ(batches.size(), 1u);
    EXPECT_EQ(batches[0].of, made);
    ASSERT_EQ(batches[0].others.size(), 2u);
    for (const auto& each : batches[0].others) {
      EXPECT_EQ(each.kind, answer_kind::unsent);
      EXPECT_EQ(each.reason, "no connection");
    }
  }
  std::promise<void> stopped;
  loop.stop([&] { stopped.set_value(); });
  stopped.get_future().get();
}

TEST(delivery_loop, counts_a_connection_that_cannot_be_made_as_failed_and_says_why) {
  delivery_loop loop{
    {.thread_name = "test", .ca_file = "", .setup = [](const destination&) {
       pool_setup setup;
       setup.options.connection.request_timeout = std::chrono::milliseconds{100};
       setup.options.reconnect = {std::chrono::milliseconds{1}, std::chrono::milliseconds{10}};
       setup.new_writer = []() -> std::unique_ptr<request_writer> {
         throw std::runtime_error{"no memory"};
       };
       return std::optional{std::move(setup)};
     }}};
  std::promise<std::vector<answer_batch>> answered;
  loop.on_answers(
    [&](std::vector<answer_batch> batches) { answered.set_value(std::move(batches)); });
  auto made = std::make_shared<work>();
  made->targets.resize(1);
  loop.submit(made, 0, 1);
  const auto batches = answered.get_future().get();
  ASSERT_EQ(batches.size(), 1u);
  ASSERT_EQ(batches[0].others.size(), 1u);
  EXPECT_EQ(batches[0].others[0].kind, answer_kind::unsent);
  EXPECT_EQ(batches[0].others[0].reason, "no memory");
  EXPECT_GT(loop.stats().connect_errors.value(), 0);
}

class reconfigurable_loop : public delivery_loop {
public:
  using delivery_loop::delivery_loop;
  using delivery_loop::reconfigure;
};

TEST(delivery_loop,
     a_pool_that_was_stopped_between_two_tries_connects_when_it_is_configured_again) {
  std::atomic<bool> is_known = true;
  std::counting_semaphore<> tries{0};
  reconfigurable_loop loop{
    {.thread_name = "test", .ca_file = "", .setup = [&](const destination&) {
       if (!is_known)
         return std::optional<pool_setup>{};
       std::optional<pool_setup> setup{std::in_place};
       setup->options.connection.request_timeout = std::chrono::hours{1};
       setup->options.reconnect = {std::chrono::hours{1}, std::chrono::hours{1}};
       setup->new_writer = [&]() -> std::unique_ptr<request_writer> {
         tries.release();
         throw std::runtime_error{"no memory"};
       };
       return setup;
     }}};
  std::promise<void> given_up;
  loop.on_answers([&](const std::vector<answer_batch>&) { given_up.set_value(); });
  auto made = std::make_shared<work>();
  made->targets.resize(2);
  loop.submit(made, 0, 1);
  tries.acquire();
  is_known = false;
  loop.reconfigure(default_app);
  given_up.get_future().get();
  is_known = true;
  loop.reconfigure(default_app);
  loop.submit(made, 1, 1);
  EXPECT_TRUE(tries.try_acquire_for(std::chrono::minutes{1})) << "it waits for a timer that is off";
}

} // namespace
