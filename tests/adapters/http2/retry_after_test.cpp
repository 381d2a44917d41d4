#include "adapters/http2/retry_after.hpp"

#include <gtest/gtest.h>

using namespace signalbox;

namespace {

// Sun, 06 Nov 1994 08:49:37 GMT, the example of RFC 9110.
const std::chrono::system_clock::time_point now{std::chrono::seconds{784'111'777}};

TEST(retry_after, a_number_is_seconds) {
  EXPECT_EQ(parse_retry_after("0", now), 0u);
  EXPECT_EQ(parse_retry_after("120", now), 120u);
}

TEST(retry_after, a_date_is_counted_from_now) {
  EXPECT_EQ(parse_retry_after("Sun, 06 Nov 1994 08:50:37 GMT", now), 60u);
  EXPECT_EQ(parse_retry_after("Sun, 06 Nov 1994 08:48:37 GMT", now), 0u);
}

TEST(retry_after, a_day_is_the_most) {
  EXPECT_EQ(parse_retry_after("99999999", now), 86'400u);
  EXPECT_EQ(parse_retry_after("99999999999999999999", now), 86'400u);
  EXPECT_EQ(parse_retry_after("Sun, 06 Nov 2094 08:49:37 GMT", now), 86'400u);
}

TEST(retry_after, anything_else_is_none) {
  for (const auto* odd : {"", "-5", "soon", "5 s", "06 Nov 1994", "Sun, 06 Nov 1994 08:50:37 GMT!"})
    EXPECT_EQ(parse_retry_after(odd, now), 0u) << odd;
}

} // namespace
