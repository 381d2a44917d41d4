#include "adapters/store/sqlite/readers.hpp"
#include "tests/adapters/store/temporary_folder.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <future>
#include <memory>
#include <mutex>
#include <set>
#include <stdexcept>
#include <thread>

namespace signalbox::sqlite {
namespace {

using testing::HasSubstr;

using namespace std::chrono_literals;

// Reads until it is interrupted.
constexpr auto* endless =
  "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT i FROM n WHERE i < 0";

struct refusal {
  errc code = errc::ok;
  std::string message;
};

class readers_test : public testing::Test {
protected:
  static readers::settings of(std::size_t threads) {
    return {.threads = threads, .query_limit = 1h};
  }

  /// A task that always answers.
  static read_task answering(std::function<void()> run) {
    return {[run = std::move(run)](connection&) {
              run();
              return true;
            },
            [](errc, const std::string&) {}};
  }

  /// A task that reads without an end until it is interrupted; `begun` is set when it runs.
  static read_task reading(std::promise<refusal>& refused, std::atomic<int>* begun = nullptr) {
    return {[begun](connection& database) {
              if (begun)
                ++*begun;
              try {
                database.value(endless);
                return true;
              } catch (const failure& error) {
                return !error.is_interruption();
              }
            },
            [&refused](errc code, std::string message) {
              refused.set_value({code, std::move(message)});
            }};
  }

  static void wait_for(const std::atomic<int>& counted, int least) {
    while (counted < least)
      std::this_thread::yield();
  }

  temporary_folder folder;
  std::string path = folder.file("test.db");
};

TEST_F(readers_test, an_answer_that_cannot_be_taken_ends_no_thread) {
  readers pool{path, {}, of(2)};
  for (int i = 0; i < 4; ++i)
    pool.submit(read_class::lanes, answering([] { throw std::runtime_error{"full"}; }));
  std::promise<void> answered;
  pool.submit(read_class::lanes, answering([&] { answered.set_value(); }));
  answered.get_future().wait();
}

TEST_F(readers_test, queries_leave_a_thread_to_the_lanes) {
  readers pool{path, {}, of(2)};
  std::promise<void> release;
  auto released = release.get_future().share();
  for (int i = 0; i < 10; ++i)
    pool.submit(read_class::queries, answering([released] { released.wait(); }));
  std::promise<void> answered;
  pool.submit(read_class::lanes, answering([&] { answered.set_value(); }));
  answered.get_future().get();
  release.set_value();
}

TEST_F(readers_test, what_is_found_by_its_key_waits_for_no_query) {
  readers pool{path, {}, of(2)};
  std::promise<void> release;
  auto released = release.get_future().share();
  for (int i = 0; i < 10; ++i)
    pool.submit(read_class::queries, answering([released] { released.wait(); }));
  std::promise<void> answered;
  pool.submit(read_class::lookups, answering([&] { answered.set_value(); }));
  answered.get_future().get();
  release.set_value();
}

TEST_F(readers_test, lanes_come_before_lookups_and_these_before_queries) {
  readers pool{path, {}, of(2)};
  std::promise<void> release_one;
  std::promise<void> release_other;
  std::atomic<int> busy{0};
  for (auto* each : {&release_one, &release_other})
    pool.submit(read_class::lanes, answering([&busy, released = each->get_future().share()] {
                  ++busy;
                  released.wait();
                }));
  wait_for(busy, 2);
  std::vector<std::string> order; // by the one thread that is free
  std::promise<void> last;
  const auto note = [&](const std::string& what) {
    return answering([&, what] {
      order.push_back(what);
      if (order.size() == 3)
        last.set_value();
    });
  };
  pool.submit(read_class::queries, note("query"));
  pool.submit(read_class::lookups, note("lookup"));
  pool.submit(read_class::lanes, note("lane"));
  release_one.set_value();
  last.get_future().wait();
  EXPECT_THAT(order, testing::ElementsAre("lane", "lookup", "query"));
  release_other.set_value();
}

TEST_F(readers_test, the_one_that_rested_last_reads_next) {
  readers pool{path, {}, of(4)};
  const auto until_all_rest = [&pool] { ASSERT_TRUE(pool.run_alone(1h, false, [] {})); };
  std::atomic<int> there{0};
  for (int i = 0; i < 4; ++i) // one that starts late would be the last to rest
    pool.submit(read_class::lanes, answering([&there] {
                  ++there;
                  wait_for(there, 4);
                }));
  wait_for(there, 4);
  until_all_rest();
  std::set<std::thread::id> used;
  for (int i = 0; i < 20; ++i) {
    std::promise<void> answered;
    pool.submit(read_class::lanes, answering([&] {
                  used.insert(std::this_thread::get_id());
                  answered.set_value();
                }));
    answered.get_future().wait();
    until_all_rest();
  }
  EXPECT_EQ(used.size(), 1U);
}

TEST_F(readers_test, all_threads_read_when_there_is_enough) {
  readers pool{path, {}, of(4)};
  for (int round = 0; round < 20; ++round) {
    std::atomic<int> running{0};
    std::atomic<int> ended{0};
    std::promise<void> done;
    for (int i = 0; i < 4; ++i)
      pool.submit(read_class::lanes, answering([&] {
                    ++running;
                    wait_for(running, 4);
                    if (++ended == 4)
                      done.set_value();
                  }));
    done.get_future().wait();
  }
}

TEST_F(readers_test, health_waits_for_nobody) {
  readers pool{path, {}, of(2)};
  std::promise<void> release;
  auto released = release.get_future().share();
  for (const auto where : {read_class::queries, read_class::lanes})
    for (int i = 0; i < 10; ++i)
      pool.submit(where, answering([released] { released.wait(); }));
  std::promise<void> answered;
  pool.submit(read_class::health, answering([&] { answered.set_value(); }));
  answered.get_future().get();
  release.set_value();
}

TEST_F(readers_test, queries_use_half_of_the_threads) {
  readers pool{path, {}, of(4)};
  std::atomic<int> running{0};
  std::atomic<int> most{0};
  std::atomic<int> run{0};
  std::promise<void> last;
  for (int i = 0; i < 40; ++i)
    pool.submit(read_class::queries, answering([&] {
                  const auto now = ++running;
                  if (now > most)
                    most = now;
                  while (most < 2) // until the other thread is there
                    std::this_thread::yield();
                  --running;
                  if (++run == 40)
                    last.set_value();
                }));
  last.get_future().wait();
  EXPECT_EQ(most, 2);
}

TEST_F(readers_test, waiting_queries_get_their_turn) {
  readers pool{path, {}, of(2)};
  std::atomic<int> run{0};
  std::promise<void> last;
  for (int i = 0; i < 20; ++i)
    pool.submit(read_class::queries, answering([&] {
                  if (++run == 20)
                    last.set_value();
                }));
  last.get_future().wait();
  EXPECT_EQ(run, 20);
}

TEST_F(readers_test, a_query_that_takes_too_long_is_ended_with_a_clear_word) {
  auto settings = of(2);
  settings.query_limit = 20ms;
  readers pool{path, {}, settings};
  std::promise<refusal> first;
  std::promise<refusal> second; // waits for the first, and its time is over then
  pool.submit(read_class::queries, reading(first));
  pool.submit(read_class::queries, reading(second));
  const auto ended = first.get_future().get();
  EXPECT_EQ(ended.code, errc::busy);
  EXPECT_EQ(ended.message, "the query took longer than 20 ms");
  EXPECT_EQ(second.get_future().get().code, errc::busy);
}

TEST_F(readers_test, what_lanes_read_has_no_limit) {
  auto settings = of(2);
  settings.query_limit = 0ms;
  readers pool{path, {}, settings};
  std::promise<std::int64_t> counted;
  pool.submit(read_class::lanes,
              {[&](connection& database) {
                 counted.set_value(*database.value(
                   "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < "
                   "50000) SELECT COUNT(*) FROM n"));
                 return true;
               },
               [](errc, const std::string&) { FAIL(); }});
  EXPECT_EQ(counted.get_future().get(), 50'000);
}

TEST_F(readers_test, so_many_may_wait_and_more_are_refused) {
  auto settings = of(2);
  settings.most_waiting = 3;
  readers pool{path, {}, settings};
  std::promise<void> release;
  auto released = release.get_future().share();
  std::promise<void> begun;
  pool.submit(read_class::queries, answering([&, released] {
                begun.set_value();
                released.wait();
              }));
  begun.get_future().wait();
  std::atomic<int> refused{0};
  const auto submit = [&](read_class where) {
    pool.submit(where, {[](connection&) { return true; },
                        [&](errc code, const std::string& message) {
                          if (code != errc::busy)
                            return; // at the end
                          EXPECT_THAT(message, HasSubstr("too many"));
                          ++refused;
                        }});
  };
  for (int i = 0; i < 5; ++i)
    submit(read_class::queries);
  EXPECT_EQ(refused, 2);
  for (int i = 0; i < 10; ++i)
    submit(read_class::lanes);
  EXPECT_EQ(refused, 2) << "what the node asks for itself is bounded by who asks";
  release.set_value();
  pool.stop();
}

TEST_F(readers_test, a_stop_interrupts_what_runs_and_refuses_what_waits) {
  readers pool{path, {}, of(2)};
  std::array<std::promise<refusal>, 3> refused;
  std::atomic<int> begun{0};
  pool.submit(read_class::queries, reading(refused[0], &begun));
  pool.submit(read_class::lanes, reading(refused[1], &begun));
  pool.submit(read_class::queries, reading(refused[2]));
  wait_for(begun, 2);
  pool.stop();
  for (auto& each : refused)
    EXPECT_EQ(each.get_future().get().code, errc::stopping);
}

TEST_F(readers_test, in_a_hurry_what_lasts_is_refused_and_what_does_not_is_answered) {
  readers pool{path, {}, of(2)};
  std::array<std::promise<refusal>, 2> refused;
  std::atomic<int> begun{0};
  pool.submit(read_class::queries, reading(refused[0], &begun));
  pool.submit(read_class::lanes, reading(refused[1], &begun));
  wait_for(begun, 2);
  std::promise<void> answered;
  pool.submit(read_class::health, answering([&] { answered.set_value(); }));
  answered.get_future().get();
  pool.hurry(1ms);
  for (auto& each : refused)
    EXPECT_EQ(each.get_future().get().code, errc::stopping);
}

TEST_F(readers_test, a_stopped_pool_refuses_everything) {
  readers pool{path, {}, of(2)};
  pool.stop();
  std::promise<refusal> refused;
  pool.submit(read_class::lanes, reading(refused));
  EXPECT_EQ(refused.get_future().get().code, errc::stopping);
}

TEST_F(readers_test, somebody_alone_ends_queries_and_they_run_again) {
  readers pool{path, {}, of(2)};
  std::promise<refusal> refused;
  std::atomic<int> begun{0};
  pool.submit(read_class::queries, reading(refused, &begun));
  wait_for(begun, 1);
  bool ran = false;
  EXPECT_TRUE(pool.run_alone(1h, false, [&] {
    ran = true;
    EXPECT_EQ(begun, 1) << "nothing begins meanwhile";
  }));
  EXPECT_TRUE(ran);
  wait_for(begun, 2);
  pool.stop();
  EXPECT_EQ(refused.get_future().get().code, errc::stopping) << "refused once";
}

TEST_F(readers_test, what_lanes_read_has_precedence_until_it_is_told_to_give_way) {
  readers pool{path, {}, of(2)};
  std::promise<refusal> refused;
  std::atomic<int> begun{0};
  pool.submit(read_class::lanes, reading(refused, &begun));
  wait_for(begun, 1);
  bool ran = false;
  EXPECT_FALSE(pool.run_alone(1ms, false, [&] { ran = true; }));
  EXPECT_FALSE(ran);
  EXPECT_TRUE(pool.run_alone(1h, true, [&] { ran = true; }));
  EXPECT_TRUE(ran);
  pool.stop();
}

} // namespace
} // namespace signalbox::sqlite
