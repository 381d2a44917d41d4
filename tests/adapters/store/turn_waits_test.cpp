#include "adapters/store/sqlite/turn_waits.hpp"

#include <gtest/gtest.h>

namespace signalbox::sqlite {
namespace {

using namespace std::chrono_literals;

constexpr timestamp now{1'000'000ms};

TEST(turn_waits, one_that_waits_is_passed_by_for_a_while) {
  turn_waits waits;
  EXPECT_FALSE(waits.is_waiting(1, now));
  waits.wait(1, "a", now);
  EXPECT_TRUE(waits.is_waiting(1, now));
  EXPECT_TRUE(waits.is_waiting(1, now + turn_waits::next_look - 1ms));
  EXPECT_FALSE(waits.is_waiting(1, now + turn_waits::next_look));
  EXPECT_FALSE(waits.is_waiting(1, now - 1ms)) << "the clock was put back";
}

TEST(turn_waits, what_moves_is_looked_at_at_once) {
  turn_waits waits;
  waits.wait(1, "a", now);
  waits.wait(2, "a", now);
  waits.wait(3, "b", now);
  waits.moved("a");
  EXPECT_FALSE(waits.is_waiting(1, now));
  EXPECT_FALSE(waits.is_waiting(2, now));
  EXPECT_TRUE(waits.is_waiting(3, now));
}

// Each look of its own finds that it waits, as it did before.
void wait_for_long(turn_waits& waits, job_number job) {
  for (int look = 0; look < 8; ++look)
    waits.wait(job, std::to_string(job), now);
}

TEST(turn_waits, the_more_wait_the_rarer_each_is_looked_at) {
  turn_waits waits;
  for (job_number job = 0; job < 10 * static_cast<job_number>(turn_waits::look_at_once); ++job)
    wait_for_long(waits, job);
  EXPECT_TRUE(waits.is_waiting(7, now + 10 * turn_waits::next_look));
  EXPECT_FALSE(waits.is_waiting(7, now + 11 * turn_waits::next_look));
}

TEST(turn_waits, one_that_has_just_begun_to_wait_is_looked_at_soon_however_many_wait_for_long) {
  turn_waits waits;
  const auto many = 10 * static_cast<job_number>(turn_waits::look_at_once);
  for (job_number job = 0; job < many; ++job)
    wait_for_long(waits, job);
  waits.wait(many, "new", now);
  EXPECT_FALSE(waits.is_waiting(many, now + turn_waits::next_look));
  waits.wait(many, "new", now);
  EXPECT_TRUE(waits.is_waiting(many, now + turn_waits::next_look));
  EXPECT_FALSE(waits.is_waiting(many, now + 2 * turn_waits::next_look));
}

} // namespace
} // namespace signalbox::sqlite
