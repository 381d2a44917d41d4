#include "adapters/http/identifiers.hpp"

#include <gtest/gtest.h>

#include <string>

namespace signalbox::http {

namespace {

TEST(identifiers_test, takes_utf8_without_control_characters) {
  for (auto good : {"u", "user@example.org", "a b", "j\xC3\xBCrgen", "\xF0\x9F\x98\x80"})
    EXPECT_FALSE(check_identifier(good)) << good;
  EXPECT_FALSE(check_identifier(std::string(256, 'x')));
  for (auto bad : {"", "a\nb", "a\x7F", "\xC2\x85", "\xFF", "\xED\xA0\x80"})
    EXPECT_TRUE(check_identifier(bad)) << bad;
  EXPECT_TRUE(check_identifier(std::string(257, 'x')));
  EXPECT_TRUE(check_identifier(std::string{"a\0b", 3}));
}

TEST(identifiers_test, knows_the_form_of_tokens) {
  EXPECT_FALSE(check_token(platform::apns, "00aaFF"));
  EXPECT_FALSE(check_token(platform::fcm, "dQw4:APA91b-_"));
  EXPECT_FALSE(check_token(platform::apns, std::string(4096, 'a')));
  for (auto bad : {"", "abc", "xy", "ab cd"})
    EXPECT_TRUE(check_token(platform::apns, bad)) << bad;
  for (auto bad : {"", "a b", "a\n", "\xC3\xBC"})
    EXPECT_TRUE(check_token(platform::fcm, bad)) << bad;
  EXPECT_TRUE(check_token(platform::apns, std::string(4098, 'a')));
  EXPECT_EQ(canonical_token(platform::apns, "00aaFF"), "00aaff");
  EXPECT_EQ(canonical_token(platform::fcm, "AbC"), "AbC");
  EXPECT_EQ(canonical_token("00aaFF"), "00aaff");
  EXPECT_EQ(canonical_token("AbC"), "AbC");
}

} // namespace

} // namespace signalbox::http
