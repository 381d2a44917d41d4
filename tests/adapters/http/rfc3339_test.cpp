#include "adapters/http/rfc3339.hpp"

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <chrono>

namespace signalbox::http {

namespace {

timestamp at(std::int64_t ms) {
  return timestamp{std::chrono::milliseconds{ms}};
}

TEST(rfc3339_test, reads_the_forms_of_the_rfc) {
  EXPECT_EQ(parse_rfc3339("1970-01-01T00:00:00Z"), at(0));
  EXPECT_EQ(parse_rfc3339("2026-01-31t12:00:00.5z"), at(1'769'860'800'500));
  EXPECT_EQ(parse_rfc3339("2026-01-31 13:30:00.123456789+01:30"), at(1'769'860'800'123));
  EXPECT_EQ(parse_rfc3339("2026-01-31T04:00:00-08:00"), at(1'769'860'800'000));
  EXPECT_EQ(parse_rfc3339("2024-02-29T00:00:00Z"), at(1'709'164'800'000));
  EXPECT_EQ(parse_rfc3339("1990-12-31T23:59:60Z"), at(662'688'000'000));
}

TEST(rfc3339_test, refuses_everything_else) {
  for (auto text : {"", "2026", "2026-01-31", "2026-01-31T12:00:00", "2026-13-01T00:00:00Z",
                    "2025-02-29T00:00:00Z", "2026-01-31T24:00:00Z", "2026-01-31T12:60:00Z",
                    "2026-01-31T12:00:61Z", "2026-01-31T12:00:00.Z", "2026-01-31T12:00:00+1:00",
                    "2026-01-31T12:00:00+24:00", "2026-01-31T12:00:00Zx", "1969-12-31T00:00:00Z",
                    "-026-01-31T12:00:00Z", " 2026-01-31T12:00:00Z"})
    EXPECT_FALSE(parse_rfc3339(text)) << text;
}

TEST(rfc3339_test, reads_what_it_writes) {
  EXPECT_EQ(format_rfc3339(at(1'769'860'800'007)), "2026-01-31T12:00:00.007Z");
  EXPECT_TRUE(rc::check([] {
    auto time = at(*rc::gen::inRange<std::int64_t>(0, 253'402'300'799'999));
    RC_ASSERT(parse_rfc3339(format_rfc3339(time)) == time);
  }));
}

} // namespace

} // namespace signalbox::http
