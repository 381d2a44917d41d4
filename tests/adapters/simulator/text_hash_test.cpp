#include "adapters/simulator/text_hash.hpp"

#include <gtest/gtest.h>

#include <string>

namespace signalbox::sim {
namespace {

// Computed by the recipe in the header with another program, so that it can be relied on.
TEST(text_hash_test, follows_its_recipe) {
  EXPECT_EQ(text_hash(""), 0u);
  EXPECT_EQ(text_hash("a"), 0x930a55b3afc12d0eu);
  EXPECT_EQ(text_hash("0123456789abcdef"), 0x37addb406c104c45u);
}

TEST(text_hash_test, fractions_spread_evenly) {
  int low = 0;
  for (int i = 0; i < 100'000; ++i) {
    const auto at = text_fraction("device-" + std::to_string(i));
    ASSERT_GE(at, 0.0);
    ASSERT_LT(at, 1.0);
    low += at < 0.3 ? 1 : 0;
  }
  EXPECT_NEAR(low, 30'000, 1'000);
}

} // namespace
} // namespace signalbox::sim
