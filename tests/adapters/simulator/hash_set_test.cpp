#include "adapters/simulator/hash_set.hpp"

#include <gtest/gtest.h>

namespace signalbox::sim {
namespace {

TEST(hash_set_test, counts_each_value_once) {
  hash_set set;
  EXPECT_TRUE(set.insert(7));
  EXPECT_FALSE(set.insert(7));
  EXPECT_TRUE(set.insert(8));
  EXPECT_EQ(set.size(), 2u);
}

TEST(hash_set_test, zero_is_a_value) {
  hash_set set;
  EXPECT_TRUE(set.insert(0));
  EXPECT_FALSE(set.insert(0));
  EXPECT_EQ(set.size(), 1u);
}

TEST(hash_set_test, keeps_everything_while_it_grows) {
  hash_set set;
  constexpr std::uint64_t count = 300'000;
  for (std::uint64_t i = 1; i <= count; ++i)
    ASSERT_TRUE(set.insert(i * 0x9E3779B97F4A7C15));
  for (std::uint64_t i = 1; i <= count; ++i)
    ASSERT_FALSE(set.insert(i * 0x9E3779B97F4A7C15));
  EXPECT_EQ(set.size(), count);
}

TEST(hash_set_test, values_that_share_a_place_stay_apart) {
  hash_set set;
  for (std::uint64_t i = 1; i <= 100; ++i)
    EXPECT_TRUE(set.insert(i << 32));
  EXPECT_EQ(set.size(), 100u);
}

TEST(hash_set_test, contains_what_was_inserted_also_beside_others_and_zero) {
  hash_set set;
  EXPECT_FALSE(set.contains(0));
  for (std::uint64_t i = 0; i <= 100; i += 2)
    set.insert(i << 32);
  for (std::uint64_t i = 0; i <= 100; ++i)
    EXPECT_EQ(set.contains(i << 32), i % 2 == 0) << i;
}

TEST(hash_set_test, clear_forgets) {
  hash_set set;
  set.insert(5);
  set.clear();
  EXPECT_EQ(set.size(), 0u);
  EXPECT_TRUE(set.insert(5));
}

} // namespace
} // namespace signalbox::sim
