#include "messages/app_name.hpp"

#include <gtest/gtest.h>

namespace signalbox {
namespace {

TEST(app_name, is_found_by_its_text_only) {
  EXPECT_EQ(find_app(app_name(default_app)), default_app);
  EXPECT_EQ(find_app("Default"), std::nullopt);
  EXPECT_EQ(find_app(""), std::nullopt);
}

} // namespace
} // namespace signalbox
