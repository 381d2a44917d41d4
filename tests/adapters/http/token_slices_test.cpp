#include "adapters/http/token_slices.hpp"

#include <gtest/gtest.h>

#include <string>

namespace signalbox::http {

namespace {

token_registration row(std::size_t topics, std::size_t length) {
  token_registration out;
  out.token = "ab";
  out.topics.assign(topics, std::string(length, 't'));
  return out;
}

TEST(token_slices_test, a_slice_has_two_thousand_small_rows) {
  token_slices slices;
  for (int i = 0; i < 4'001; ++i) {
    EXPECT_EQ(slices.has_full(), i >= 2'000) << i;
    slices.add(row(0, 0));
  }
  EXPECT_EQ(slices.take().size(), 2'000u);
  EXPECT_EQ(slices.take().size(), 2'000u);
  EXPECT_FALSE(slices.has_full());
  EXPECT_EQ(slices.take().size(), 1u);
  EXPECT_TRUE(slices.empty());
}

TEST(token_slices_test, a_slice_ends_with_the_row_that_fills_a_mebibyte) {
  token_slices slices;
  for (int i = 0; i < 100; ++i)
    slices.add(row(1'000, 250));
  std::size_t rows = 0;
  while (!slices.empty()) {
    const auto one = slices.take();
    EXPECT_LE(one.size(), 5u); // 250 KB each
    rows += one.size();
  }
  EXPECT_EQ(rows, 100u);
}

TEST(token_slices_test, short_texts_count_as_what_they_take) {
  token_slices slices;
  for (int i = 0; i < 100; ++i)
    slices.add(row(1'000, 1));
  EXPECT_TRUE(slices.has_full());
  EXPECT_LE(slices.take().size(), 35u);
}

} // namespace

} // namespace signalbox::http
