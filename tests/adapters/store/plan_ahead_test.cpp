#include "adapters/store/sqlite/plan_ahead.hpp"
#include "adapters/store/sqlite/planning.hpp"

#include <gtest/gtest.h>

namespace signalbox::sqlite {
namespace {

using namespace std::chrono_literals;

constexpr timestamp now{1'000'000ms};

TEST(plan_ahead, is_full_until_a_step_of_chunks_is_claimed) {
  plan_ahead ahead;
  EXPECT_FALSE(ahead.is_full(1, 17, now));
  ahead.note_full(1, 17, now);
  EXPECT_TRUE(ahead.is_full(1, 17, now));
  EXPECT_FALSE(ahead.is_full(1, 33, now));
  EXPECT_FALSE(ahead.is_full(2, 17, now));
  for (std::size_t i = 0; i < plan_step_chunks; ++i) {
    EXPECT_TRUE(ahead.is_full(1, 17, now));
    ahead.note_claim(1, 17);
    ahead.note_claim(1, 33);
  }
  EXPECT_FALSE(ahead.is_full(1, 17, now));
}

TEST(plan_ahead, a_note_is_not_believed_for_long_or_before_its_time) {
  plan_ahead ahead;
  ahead.note_full(1, 17, now);
  EXPECT_TRUE(ahead.is_full(1, 17, now + plan_ahead::longest - 1ms));
  EXPECT_FALSE(ahead.is_full(1, 17, now + plan_ahead::longest));
  EXPECT_FALSE(ahead.is_full(1, 17, now - 1ms)) << "the clock was put back";
}

} // namespace
} // namespace signalbox::sqlite
