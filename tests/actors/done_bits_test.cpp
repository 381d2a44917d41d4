#include "actors/done_bits.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <set>

namespace signalbox {
namespace {

TEST(done_bits, a_bit_counts_once) {
  done_bits bits{10};
  EXPECT_TRUE(bits.set(9));
  EXPECT_FALSE(bits.set(9));
  EXPECT_TRUE(bits.test(9));
  EXPECT_FALSE(bits.test(0));
  EXPECT_EQ(bits.count(), 1u);
  EXPECT_EQ(bits.missing(), 9u);
}

TEST(done_bits, an_index_outside_changes_nothing) {
  done_bits bits{3};
  EXPECT_FALSE(bits.set(3));
  EXPECT_FALSE(bits.test(1000));
  EXPECT_EQ(bits.count(), 0u);
}

TEST(done_bits, bits_past_the_end_are_ignored) {
  const done_bits bits{3, "\xff\xff"};
  EXPECT_EQ(bits.count(), 3u);
  EXPECT_TRUE(bits.all());
  EXPECT_EQ(bits.bytes().size(), 1u);
}

TEST(done_bits, no_bytes_stand_for_none_set) {
  const done_bits bits{1000, {}};
  EXPECT_EQ(bits.count(), 0u);
  EXPECT_EQ(bits.bytes().size(), 125u);
}

TEST(done_bits, of_nothing_is_all_done) {
  EXPECT_TRUE(done_bits{0}.all());
}

RC_GTEST_PROP(done_bits, count_is_that_of_a_set_also_after_storing, ()) {
  const auto size = *rc::gen::inRange<std::size_t>(1, 1001);
  const auto indices =
    *rc::gen::container<std::vector<std::size_t>>(rc::gen::inRange<std::size_t>(0, size + 5));
  done_bits bits{size};
  std::set<std::size_t> model;
  for (const auto index : indices) {
    const bool is_new = index < size && model.insert(index).second;
    RC_ASSERT(bits.set(index) == is_new);
    if (*rc::gen::inRange(0, 4) == 0)
      bits = done_bits{size, bits.bytes()};
  }
  RC_ASSERT(bits.count() == model.size());
  RC_ASSERT(bits.all() == (model.size() == size));
  for (std::size_t i = 0; i < size; ++i)
    RC_ASSERT(bits.test(i) == (model.count(i) == 1));
}

} // namespace
} // namespace signalbox
