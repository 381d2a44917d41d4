#include "adapters/http/problem.hpp"

#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>
#include <gtest/gtest.h>

#include <string>

namespace signalbox::http {

namespace {

std::string quoted(std::string_view text) {
  std::string out;
  append_json_string(out, text);
  return out;
}

TEST(problem_test, is_a_problem_document_with_pointers) {
  auto answer =
    invalid_fields({{"/title", "must be a string"}, {"/data/a~1b", "must be a string"}});
  EXPECT_EQ(answer.status, 400u);
  EXPECT_EQ(answer.content_type, "application/problem+json");
  auto body = boost::json::parse(answer.body);
  EXPECT_EQ(body.at("type").as_string(), "about:blank");
  EXPECT_EQ(body.at("title").as_string(), "Bad Request");
  EXPECT_EQ(body.at("status").as_int64(), 400);
  EXPECT_EQ(body.at("errors").as_array().size(), 2u);
  EXPECT_EQ(body.at("errors").at(1).at("pointer").as_string(), "/data/a~1b");
}

TEST(problem_test, repeats_little_of_what_was_sent) {
  const std::string key(1'000'000, 'k');
  std::vector<field_error> errors(250, {'/' + key, "is not known: " + key});
  const auto answer = invalid_fields(errors);
  EXPECT_LT(answer.body.size(), 200u * 1024);
  const auto body = boost::json::parse(answer.body);
  EXPECT_EQ(body.at("errors").as_array().size(), 100u);
  EXPECT_EQ(body.at("errors_omitted").as_int64(), 150);
  EXPECT_EQ(body.at("errors").at(0).at("pointer").as_string(), '/' + key.substr(0, 511) + "...");
}

TEST(problem_test, cuts_between_characters) {
  for (std::size_t before = 505; before < 515; ++before) {
    const auto answer = problem(400, std::string(before, 'x') + "\xF0\x9F\x98\x80" + "yyyyyyyyyy");
    EXPECT_EQ(answer.body.find("\\ufffd"), answer.body.npos) << before;
  }
}

TEST(problem_test, unavailable_asks_to_come_back) {
  auto answer = unavailable("full");
  EXPECT_EQ(answer.status, 503u);
  ASSERT_EQ(answer.headers.size(), 1u);
  EXPECT_EQ(answer.headers[0].second, "1");
}

TEST(problem_test, strings_are_escaped_and_bad_bytes_replaced) {
  EXPECT_EQ(quoted("a\"b\\c\n\t\x01"), "\"a\\\"b\\\\c\\n\\t\\u0001\"");
  EXPECT_EQ(quoted("gr\xC3\xBC\xC3\x9F \xF0\x9F\x98\x80"),
            "\"gr\xC3\xBC\xC3\x9F \xF0\x9F\x98\x80\"");
  // A lone continuation byte, an overlong form, a surrogate, a cut-off sequence.
  EXPECT_EQ(quoted("\x80|\xC0\xAF|\xED\xA0\x80|\xE2\x82"),
            "\"\\ufffd|\\ufffd\\ufffd|\\ufffd\\ufffd\\ufffd|\\ufffd\\ufffd\"");
}

} // namespace

} // namespace signalbox::http
