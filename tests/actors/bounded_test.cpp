#include "actors/bounded.hpp"
#include "tests/support/caf_fixture.hpp"

#include <caf/event_based_actor.hpp>
#include <caf/typed_event_based_actor.hpp>

#include <stdexcept>
#include <thread>
#include <vector>

namespace signalbox {
namespace {

using counter = caf::typed_actor<caf::reacts_to<int>, caf::replies_to<bool>::with<int>>;

class counting_actor : public bounded<counter::base> {
public:
  counting_actor(caf::actor_config& cfg, std::shared_ptr<mailbox_stats> stats,
                 std::vector<int>& seen)
    : bounded(cfg, std::move(stats)), seen_(seen) {}

  behavior_type make_behavior() override {
    return {
      [this](int value) {
        if (value < 0)
          throw std::runtime_error("negative");
        seen_.push_back(value);
        if (value >= 1'000)
          hold(value - 1'000);
        else if (value >= 500)
          let_go(value - 500);
      },
      [this](bool) { return static_cast<int>(seen_.size()); },
    };
  }

private:
  std::vector<int>& seen_;
};

class bounded_mailbox : public caf_fixture {
protected:
  counter start_counter(std::int64_t capacity) {
    stats->capacity = capacity;
    return start<counting_actor>(stats, std::ref(seen));
  }
  void send(const counter& to, int value) { caf::anon_send(to, value); }

  std::shared_ptr<mailbox_stats> stats = std::make_shared<mailbox_stats>();
  std::vector<int> seen;
};

TEST_F(bounded_mailbox, counts_what_waits_and_what_is_done) {
  const auto to = start_counter(10);
  for (int i = 0; i < 3; ++i)
    send(to, i);
  EXPECT_EQ(stats->depth, 3);
  EXPECT_EQ(stats->processed, 0u);
  run();
  EXPECT_EQ(stats->depth, 0);
  EXPECT_EQ(stats->high_water, 3);
  EXPECT_EQ(stats->processed, 3u);
  EXPECT_EQ(stats->refused, 0u);
  EXPECT_EQ(seen, (std::vector{0, 1, 2}));
}

TEST_F(bounded_mailbox, refuses_what_finds_it_full) {
  const auto to = start_counter(2);
  for (int i = 0; i < 5; ++i)
    send(to, i);
  EXPECT_EQ(stats->depth, 2);
  EXPECT_EQ(stats->refused, 3u);
  run();
  EXPECT_EQ(seen, (std::vector{0, 1}));
  send(to, 7);
  run();
  EXPECT_EQ(seen, (std::vector{0, 1, 7}));
  EXPECT_EQ(stats->high_water, 2);
}

TEST_F(bounded_mailbox, a_place_for_one_takes_one_at_a_time) {
  const auto to = start_counter(1);
  for (int i = 0; i < 4; ++i) {
    send(to, i);
    send(to, 100 + i);
    run();
  }
  EXPECT_EQ(seen, (std::vector{0, 1, 2, 3}));
  EXPECT_EQ(stats->refused, 4u);
  EXPECT_EQ(stats->depth, 0);
}

TEST_F(bounded_mailbox, never_refuses_what_is_urgent) {
  const auto to = start_counter(1);
  send(to, 0);
  for (int i = 1; i < 4; ++i)
    anon_send_urgent(to, i);
  EXPECT_EQ(stats->depth, 4);
  EXPECT_EQ(stats->refused, 0u);
  run();
  EXPECT_EQ(seen.size(), 4u);
  EXPECT_EQ(stats->depth, 0);
}

TEST_F(bounded_mailbox, never_refuses_an_exit) {
  const auto to = start_counter(0);
  caf::anon_send_exit(to, caf::exit_reason::user_shutdown);
  run();
  EXPECT_FALSE(is_alive(to));
}

TEST_F(bounded_mailbox, answers_a_refused_request) {
  const auto to = start_counter(1);
  send(to, 0);
  struct heard {
    caf::error failure;
    int answer = -1;
  };
  const auto result = std::make_shared<heard>();
  const auto asking = start_function(
    [to](caf::event_based_actor* self, const std::shared_ptr<heard>& result) -> caf::behavior {
      self->request(to, caf::infinite, true)
        .then([result](int count) { result->answer = count; },
              [result](const caf::error& why) { result->failure = why; });
      return {};
    },
    result);
  scheduler_.prioritize(asking); // while the mailbox is full
  run();
  EXPECT_EQ(result->answer, -1);
  EXPECT_EQ(result->failure, caf::sec::unavailable_or_would_block);
  EXPECT_EQ(stats->refused, 1u);
}

TEST_F(bounded_mailbox, what_an_actor_holds_keeps_its_places) {
  const auto to = start_counter(3);
  send(to, 1'002);
  run();
  EXPECT_EQ(stats->depth, 2);
  send(to, 1);
  send(to, 2);
  EXPECT_EQ(stats->refused, 1u);
  run();
  anon_send_urgent(to, 502);
  run();
  EXPECT_EQ(stats->depth, 0);
}

TEST_F(bounded_mailbox, a_handler_that_throws_leaves_its_place) {
  const auto to = start_counter(1);
  send(to, -1);
  run();
  EXPECT_FALSE(is_alive(to));
  EXPECT_EQ(stats->depth, 0);
}

TEST(mailbox_stats, places_are_exact_over_threads) {
  mailbox_stats stats;
  stats.capacity = 64;
  std::atomic<std::uint64_t> entered{0};
  {
    std::vector<std::jthread> threads;
    for (int t = 0; t < 4; ++t)
      threads.emplace_back([&] {
        for (int i = 0; i < 20'000; ++i)
          if (stats.try_enter()) {
            ++entered;
            if (i % 3 != 0)
              stats.leave();
          }
      });
  }
  EXPECT_EQ(stats.depth, 64);
  EXPECT_EQ(stats.depth + static_cast<std::int64_t>(stats.processed),
            static_cast<std::int64_t>(entered));
  EXPECT_EQ(entered + stats.refused, 80'000u);
}

} // namespace
} // namespace signalbox
