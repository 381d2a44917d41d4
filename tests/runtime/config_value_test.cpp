#include "runtime/config_value.hpp"

#include <gtest/gtest.h>

namespace signalbox {
namespace {

using namespace std::chrono_literals;

std::string mistake(std::string_view word) {
  std::string why;
  EXPECT_FALSE(parse_config_word(word, why)) << word;
  return why;
}

config_value parsed(std::string_view word) {
  std::string why;
  auto result = parse_config_word(word, why);
  EXPECT_TRUE(result) << why;
  return result.value_or(config_value{});
}

TEST(config_value, reads_integers_in_three_bases) {
  EXPECT_EQ(parsed("0"), config_value{std::int64_t{0}});
  EXPECT_EQ(parsed("-17"), config_value{std::int64_t{-17}});
  EXPECT_EQ(parsed("+17"), config_value{std::int64_t{17}});
  EXPECT_EQ(parsed("0x400000"), config_value{std::int64_t{4194304}});
  EXPECT_EQ(parsed("-0b101"), config_value{std::int64_t{-5}});
  EXPECT_EQ(parsed("9223372036854775807"), config_value{std::int64_t{9223372036854775807}});
}

TEST(config_value, reads_booleans_and_reals) {
  EXPECT_EQ(parsed("true"), config_value{true});
  EXPECT_EQ(parsed("false"), config_value{false});
  EXPECT_EQ(parsed("0.75"), config_value{0.75});
  EXPECT_EQ(parsed("-2.5e3"), config_value{-2500.0});
}

TEST(config_value, reads_durations_of_every_unit) {
  EXPECT_EQ(parsed("7ns"), config_value{7ns});
  EXPECT_EQ(parsed("7us"), config_value{std::chrono::nanoseconds{7us}});
  EXPECT_EQ(parsed("0ms"), config_value{0ns});
  EXPECT_EQ(parsed("-7s"), config_value{std::chrono::nanoseconds{-7s}});
  EXPECT_EQ(parsed("7min"), config_value{std::chrono::nanoseconds{7min}});
  EXPECT_EQ(parsed("7h"), config_value{std::chrono::nanoseconds{7h}});
}

TEST(config_value, refuses_an_unknown_unit_and_tells_the_known_ones) {
  EXPECT_EQ(mistake("10m"),
            "`10m` has the unknown unit `m`; durations take ns, us, ms, s, min or h; "
            "sizes are bytes or, quoted, \"4MiB\"");
  EXPECT_NE(mistake("4MB").find("unknown unit `MB`"), std::string::npos);
  EXPECT_NE(mistake("0x10s").find("unknown unit"), std::string::npos);
}

TEST(config_value, refuses_an_unquoted_string) {
  EXPECT_EQ(mistake("localhost"),
            "`localhost` is not a value; strings stand in double quotes: \"localhost\"");
  EXPECT_NE(mistake("yes").find("double quotes"), std::string::npos);
}

TEST(config_value, refuses_what_would_be_read_as_octal) {
  EXPECT_NE(mistake("010").find("octal"), std::string::npos);
  EXPECT_NE(mistake("-08").find("octal"), std::string::npos);
}

TEST(config_value, refuses_what_does_not_fit) {
  EXPECT_EQ(mistake("9223372036854775808"), "`9223372036854775808` is too large");
  EXPECT_EQ(mistake("99999999999999999999999"), "`99999999999999999999999` is too large");
  EXPECT_EQ(mistake("9223372036854775h"), "`9223372036854775h` is too large");
  EXPECT_NE(mistake("1e400").find("not a number"), std::string::npos);
  EXPECT_NE(mistake("1e101").find("too large"), std::string::npos);
}

TEST(config_value, refuses_half_numbers) {
  EXPECT_NE(mistake("0x").find("not a number"), std::string::npos);
  EXPECT_NE(mistake("1e").find("not a number"), std::string::npos);
  EXPECT_NE(mistake("1.").find("not a number"), std::string::npos);
  EXPECT_NE(mistake("-").find("not a value"), std::string::npos);
}

TEST(config_value, refuses_fractional_durations) {
  EXPECT_EQ(mistake("1.5s"),
            "`1.5s` is a fraction; write a whole number of a smaller unit, for example 1500ms");
}

} // namespace
} // namespace signalbox
