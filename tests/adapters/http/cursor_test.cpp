#include "adapters/http/cursor.hpp"

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <string>

namespace signalbox::http {

namespace {

TEST(cursor_test, opens_for_its_own_query) {
  EXPECT_TRUE(rc::check([](std::string query) {
    auto key = *rc::gen::nonEmpty<std::string>();
    auto cursor = make_cursor(key, query);
    RC_ASSERT(open_cursor(cursor, query) == key);
    RC_ASSERT(cursor.find_first_of("+/=& ") == cursor.npos);
  }));
}

TEST(cursor_test, opens_for_no_other_query) {
  auto cursor = make_cursor("key", "/v1/users");
  EXPECT_FALSE(open_cursor(cursor, "/v1/topics"));
  EXPECT_FALSE(open_cursor(cursor + "A", "/v1/users"));
  EXPECT_FALSE(open_cursor(cursor.substr(1), "/v1/users"));
  EXPECT_FALSE(open_cursor("", "/v1/users"));
  EXPECT_FALSE(open_cursor("!", "/v1/users"));
}

} // namespace

} // namespace signalbox::http
