#include "adapters/http2/plain_text.hpp"

#include <gtest/gtest.h>

using namespace signalbox;

namespace {

TEST(plain_text, what_providers_say_stays_as_it_is) {
  EXPECT_EQ(plain_text("TooManyRequests"), "TooManyRequests");
  EXPECT_EQ(plain_text("HTTP/1.1 407 Proxy Authentication Required"),
            "HTTP/1.1 407 Proxy Authentication Required");
  EXPECT_EQ(plain_text(""), "");
}

TEST(plain_text, nothing_in_it_ends_a_line_or_a_quoted_value) {
  EXPECT_EQ(plain_text("a\nb\rc\td\x1b[0m\x7f \"e\" \\"), "a?b?c?d?[0m? ?e? ?");
  EXPECT_EQ(plain_text(std::string_view{"nul\0nul", 7}), "nul?nul");
}

TEST(plain_text, is_utf8_whatever_came) {
  EXPECT_EQ(plain_text("n\xe9"
                       "cessaire \xff"),
            "n?cessaire ?");
}

TEST(plain_text, is_cut) {
  EXPECT_EQ(plain_text(std::string(1'000, 'x')).size(), 128u);
  EXPECT_EQ(plain_text("abcdef", 3), "abc");
}

} // namespace
