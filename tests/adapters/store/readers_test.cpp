#include "adapters/store/sqlite/readers.hpp"
#include "tests/adapters/store/temporary_folder.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <future>
#include <memory>
#include <thread>

namespace signalbox::sqlite {
namespace {

TEST(readers, queries_leave_a_thread_to_the_lanes) {
  const temporary_folder folder;
  readers pool{folder.file("test.db"), {}, 2};
  std::promise<void> release;
  auto released = release.get_future().share();
  for (int i = 0; i < 10; ++i)
    pool.submit(read_class::queries, [released](connection*) { released.wait(); });
  std::promise<bool> answered;
  pool.submit(read_class::lanes, [&](connection* db) { answered.set_value(db != nullptr); });
  EXPECT_TRUE(answered.get_future().get());
  release.set_value();
}

TEST(readers, queries_use_half_of_the_threads) {
  const temporary_folder folder;
  readers pool{folder.file("test.db"), {}, 4};
  std::atomic<int> running{0};
  std::atomic<int> most{0};
  std::atomic<int> run{0};
  std::promise<void> last;
  for (int i = 0; i < 40; ++i)
    pool.submit(read_class::queries, [&](connection*) {
      const auto now = ++running;
      if (now > most)
        most = now;
      for (int i = 0; i < 6'000 && most < 2; ++i) // until the other thread is there
        std::this_thread::sleep_for(std::chrono::milliseconds{10});
      std::this_thread::sleep_for(std::chrono::milliseconds{2});
      --running;
      if (++run == 40)
        last.set_value();
    });
  last.get_future().wait();
  EXPECT_EQ(most, 2);
}

TEST(readers, waiting_queries_get_their_turn) {
  const temporary_folder folder;
  readers pool{folder.file("test.db"), {}, 2};
  std::atomic<int> run{0};
  std::promise<void> last;
  for (int i = 0; i < 20; ++i)
    pool.submit(read_class::queries, [&](connection*) {
      if (++run == 20)
        last.set_value();
    });
  last.get_future().wait();
  EXPECT_EQ(run, 20);
}

TEST(readers, a_stopped_pool_calls_everything_without_a_connection) {
  const temporary_folder folder;
  readers pool{folder.file("test.db"), {}, 2};
  pool.stop();
  bool refused = false;
  pool.submit(read_class::lanes, [&](connection* db) { refused = db == nullptr; });
  EXPECT_TRUE(refused);
}

} // namespace
} // namespace signalbox::sqlite
