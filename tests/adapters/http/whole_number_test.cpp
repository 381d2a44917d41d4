#include "adapters/http/json_reader.hpp"
#include "adapters/http/whole_number.hpp"

#include <gtest/gtest.h>

#include <cstdint>
#include <limits>
#include <string>

namespace signalbox::http {

namespace {

std::optional<std::int64_t> of_json(const std::string& text) {
  const json_document document{text};
  EXPECT_EQ(document.problem(), "") << text;
  return whole_number(document.root());
}

TEST(whole_number_test, is_one_by_its_value_however_it_is_written) {
  for (const auto* text : {"251", "251.0", "251.000", "2.51e2", "2510E-1"}) {
    EXPECT_EQ(of_json(text), 251) << text;
    EXPECT_EQ(whole_number(text), 251) << text;
  }
  for (const auto* text : {"0", "-0", "0.0", "-0.0", "0e9"}) {
    EXPECT_EQ(of_json(text), 0) << text;
    EXPECT_EQ(whole_number(text), 0) << text;
  }
  EXPECT_EQ(of_json("-7.0"), -7);
  EXPECT_EQ(whole_number("-7.0"), -7);
  EXPECT_EQ(whole_number("007"), 7);
}

TEST(whole_number_test, is_exact_to_the_ends_of_its_type) {
  for (const auto number :
       {std::numeric_limits<std::int64_t>::min(), std::numeric_limits<std::int64_t>::max()}) {
    EXPECT_EQ(of_json(std::to_string(number)), number);
    EXPECT_EQ(whole_number(std::to_string(number)), number);
  }
  EXPECT_EQ(of_json("9007199254740991.0"), 9007199254740991);
  EXPECT_EQ(whole_number("9007199254740991.0"), 9007199254740991);
}

TEST(whole_number_test, is_nothing_else) {
  for (const auto* text : {"0.5", "250.999", "1e-1", "9007199254740993.0", "1e300", "-1e300",
                           "18446744073709551615", "1e400"}) {
    EXPECT_EQ(of_json(text), std::nullopt) << text;
    EXPECT_EQ(whole_number(text), std::nullopt) << text;
  }
  for (const auto* json : {"\"1\"", "true", "null", "[1]", "{}"})
    EXPECT_EQ(of_json(json), std::nullopt) << json;
  for (const auto* text : {"", " 1", "1 ", "+1", "1x", "1.0.0", "inf", "nan", "0x1", "1,0"})
    EXPECT_EQ(whole_number(text), std::nullopt) << text;
}

} // namespace

} // namespace signalbox::http
