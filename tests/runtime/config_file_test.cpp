#include "runtime/config_file.hpp"

#include <caf/actor_system_config.hpp>
#include <caf/config_value.hpp>
#include <caf/settings.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

#include <cmath>
#include <map>
#include <sstream>

namespace signalbox {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

std::vector<std::string> mistakes(std::string_view text) {
  std::vector<std::string> result;
  for (auto& error : scan_config(text, "node.conf").errors)
    result.push_back(to_string(error));
  return result;
}

TEST(config_file, reads_groups_values_and_lines) {
  auto file = scan_config("; a comment\n"
                          "http {\n"
                          "  port = 8080 ; another\n"
                          "  address = \"::1\", idle-timeout = 60s\n"
                          "}\n"
                          "lane { bulk { kind = 'push' } }\n",
                          "node.conf");
  ASSERT_THAT(file.errors, IsEmpty());
  ASSERT_EQ(file.entries.size(), 4u);
  EXPECT_EQ(file.entries[0].path, "http.port");
  EXPECT_EQ(file.entries[0].value, config_value{std::int64_t{8080}});
  EXPECT_EQ(file.entries[0].line, 3u);
  EXPECT_EQ(file.entries[1].path, "http.address");
  EXPECT_EQ(file.entries[1].value, config_value{std::string{"::1"}});
  EXPECT_EQ(file.entries[2].value, config_value{std::chrono::nanoseconds{60s}});
  EXPECT_EQ(file.entries[2].line, 4u);
  EXPECT_EQ(file.entries[3].path, "lane.bulk.kind");
  EXPECT_EQ(file.entries[3].value, config_value{config_atom{"push"}});
  ASSERT_EQ(file.groups.size(), 3u);
  EXPECT_EQ(file.groups[2].path, "lane.bulk");
  EXPECT_EQ(file.groups[2].line, 6u);
}

TEST(config_file, reads_lists_over_lines_and_escapes) {
  auto file = scan_config("x = [ 1, ; one\n \"a\\n\\\"b\\\"\",\n [true], ]\n", "node.conf");
  ASSERT_THAT(file.errors, IsEmpty());
  ASSERT_EQ(file.entries.size(), 1u);
  EXPECT_EQ(file.entries[0].value,
            (config_value{config_value::list{
              config_value{std::int64_t{1}}, config_value{std::string{"a\n\"b\""}},
              config_value{config_value::list{config_value{true}}}}}));
}

TEST(config_file, accepts_an_empty_file) {
  EXPECT_THAT(mistakes(""), IsEmpty());
  EXPECT_THAT(mistakes("\n  ; nothing\n"), IsEmpty());
  EXPECT_THAT(scan_config("http {}", "node.conf").entries, IsEmpty());
}

TEST(config_file, names_the_group_whose_brace_is_missing) {
  EXPECT_THAT(mistakes("lane {\n  push {\n    masters = 2\n  }\nhttp {\n  port = 1\n}\n"),
              ElementsAre("node.conf:1: lane: this group is never closed: a closing brace } is "
                          "missing"));
  EXPECT_THAT(mistakes("lane {\n  push {\n    masters = 2\n}\nhttp {\n  port = 1\n}\n"),
              ElementsAre(HasSubstr("node.conf:2: lane.push: this group is never closed")));
  EXPECT_THAT(mistakes("lane { push { masters = 2 }\n"),
              ElementsAre(HasSubstr("node.conf:1: lane: this group is never closed")));
}

TEST(config_file, reads_on_behind_a_missing_brace) {
  auto file = scan_config("http {\n  port = 1\nstore {\n  readers = 2\n}\n", "node.conf");
  ASSERT_EQ(file.errors.size(), 1u);
  ASSERT_EQ(file.entries.size(), 2u);
  EXPECT_EQ(file.entries[1].path, "store.readers");
}

TEST(config_file, does_not_mind_indentation_where_braces_match) {
  EXPECT_THAT(mistakes("http {\nport = 1\n    }\n\t lane {\npush {\nmasters = 1\n}\n}\n"),
              IsEmpty());
  EXPECT_THAT(mistakes("http {\nport = 1\nlane {\npush {\nmasters = 1\n}\n}\n"),
              ElementsAre(HasSubstr("node.conf:1: http: this group is never closed")));
}

TEST(config_file, refuses_a_stray_brace) {
  EXPECT_THAT(mistakes("http {\n  port = 1\n}\n}\nstore { readers = 1 }\n"),
              ElementsAre("node.conf:4: a closing brace } without a group to close"));
}

TEST(config_file, refuses_repeated_keys_and_groups) {
  EXPECT_THAT(mistakes("http {\n  port = 1\n  port = 2\n}\nhttp { }\n"),
              ElementsAre("node.conf:3: http.port: repeated; it stands on line 2 already",
                          "node.conf:5: http: repeated; it stands on line 1 already"));
}

TEST(config_file, refuses_hash_comments_once_a_line) {
  EXPECT_THAT(mistakes("# the { first\nhttp { port = 1 }\n"),
              ElementsAre("node.conf:1: comments begin with a semicolon ;"));
  EXPECT_THAT(mistakes("http {\n  port = 1 # why\n}\n"),
              ElementsAre(HasSubstr("node.conf:2: http.port: comments begin with a semicolon ;")));
}

TEST(config_file, refuses_carriage_returns_once_a_file) {
  EXPECT_THAT(mistakes("http {\r\n  port = 1\r\n}\r\n"),
              ElementsAre("node.conf:1: the line ends with a carriage return (CRLF); lines end "
                          "with LF only"));
}

TEST(config_file, refuses_dotted_names) {
  EXPECT_THAT(mistakes("lane.push { masters = 2 }\n"),
              ElementsAre("node.conf:1: lane.push: names have no dots; write the groups inside "
                          "each other: lane { push ..."));
}

TEST(config_file, refuses_section_headers) {
  EXPECT_THAT(mistakes("[http]\nport = 1\n"),
              ElementsAre(HasSubstr("node.conf:1: section headers")));
}

TEST(config_file, refuses_unterminated_strings_and_lists) {
  EXPECT_THAT(
    mistakes("http {\n  address = \"127.0.0.1\n}\n"),
    ElementsAre("node.conf:2: http.address: the string has no closing double quote on its "
                "line"));
  EXPECT_THAT(mistakes("x = [1, 2\n"), ElementsAre(HasSubstr("node.conf:1: x: this list is never "
                                                             "closed")));
  EXPECT_THAT(mistakes("x = [1 2]\n"), ElementsAre(HasSubstr("expected , or ]")));
}

TEST(config_file, refuses_two_settings_on_a_line_without_a_comma) {
  EXPECT_THAT(mistakes("lane { push { masters = 2 senders = 8 } }\n"),
              ElementsAre("node.conf:1: lane.push.masters: a new line or a comma is missing after "
                          "this"));
  EXPECT_THAT(mistakes("http { } store { }\n"),
              ElementsAre("node.conf:1: http: a new line or a comma is missing after this"));
}

TEST(config_file, refuses_commas_outside_of_groups) {
  EXPECT_THAT(mistakes("x = 1, y = 2\n"),
              ElementsAre(HasSubstr("node.conf:1: x: outside of groups")));
}

TEST(config_file, refuses_a_brace_on_a_line_of_its_own) {
  EXPECT_THAT(mistakes("http\n{\n  port = 1\n}\n"),
              ElementsAre(HasSubstr("node.conf:1: http: the opening brace {")));
}

TEST(config_file, refuses_missing_values) {
  EXPECT_THAT(mistakes("http {\n  port =\n  address\n}\n"),
              ElementsAre("node.conf:2: http.port: the value is missing",
                          "node.conf:3: http.address: expected = and a value, or { and a group"));
}

TEST(config_file, refuses_bad_strings_and_atoms) {
  EXPECT_THAT(mistakes("x = \"a\\d\"\n"), ElementsAre(HasSubstr("unknown escape")));
  EXPECT_THAT(mistakes("x = \"a\x01\"\n"), ElementsAre(HasSubstr("control character")));
  EXPECT_THAT(mistakes("x = 'elevenchars'\n"), ElementsAre(HasSubstr("not an atom")));
}

TEST(config_file, skips_a_byte_order_mark) {
  EXPECT_THAT(mistakes("\xEF\xBB\xBFhttp { }\n"), IsEmpty());
}

TEST(config_file, survives_deep_nesting) {
  EXPECT_THAT(mistakes("x = " + std::string(100000, '[')),
              testing::Contains(HasSubstr("too deeply")));
  std::string groups;
  for (auto i = 0; i < 100000; ++i)
    groups += "a{";
  EXPECT_THAT(mistakes(groups), testing::Contains(HasSubstr("too deeply")));
}

TEST(config_file, collects_all_mistakes_in_the_order_of_lines) {
  EXPECT_THAT(mistakes("http {\n  port = 010\n  address = here\n  idle-timeout = 5m\n}\n}\n"),
              ElementsAre(HasSubstr("node.conf:2: http.port"),
                          HasSubstr("node.conf:3: http.address"),
                          HasSubstr("node.conf:4: http.idle-timeout"), HasSubstr("node.conf:6: ")));
}

TEST(config_file, reads_single_values) {
  std::string why;
  EXPECT_EQ(scan_config_value(" 5s ", why), config_value{std::chrono::nanoseconds{5s}});
  EXPECT_FALSE(scan_config_value("5 6", why));
  EXPECT_EQ(why, "something follows the value");
  EXPECT_FALSE(scan_config_value("", why));
}

// -- the same text by CAF's parser
// -----------------------------------------------------------------

bool same(const config_value& ours, const caf::config_value& theirs) {
  return std::visit(
    [&](const auto& x) {
      using type = std::decay_t<decltype(x)>;
      if constexpr (std::is_same_v<type, config_value::list>) {
        auto* list = caf::get_if<caf::config_value::list>(&theirs);
        return list && std::equal(x.begin(), x.end(), list->begin(), list->end(), same);
      } else if constexpr (std::is_same_v<type, config_atom>) {
        auto* atom = caf::get_if<caf::atom_value>(&theirs);
        return atom && *atom == caf::atom_from_string(x.name);
      } else if constexpr (std::is_same_v<type, double>) {
        auto* real = caf::get_if<double>(&theirs);
        return real && std::abs(*real - x) <= std::abs(x) * 1e-9;
      } else {
        auto* value = caf::get_if<type>(&theirs);
        return value && *value == x;
      }
    },
    ours.data);
}

void flatten(const caf::settings& group, const std::string& path,
             std::map<std::string, caf::config_value>& result) {
  for (auto& [key, value] : group)
    if (auto* inner = caf::get_if<caf::config_value::dictionary>(&value))
      flatten(*inner, path + key + ".", result);
    else
      result.emplace(path + key, value);
}

/// False if the text is refused.
bool expect_same_by_caf(const std::string& text) {
  auto ours = scan_config(text, "node.conf");
  if (!ours.errors.empty())
    return false;
  std::istringstream input{text};
  auto theirs = caf::actor_system_config::parse_config(input);
  RC_ASSERT(theirs);
  std::map<std::string, caf::config_value> values;
  flatten(*theirs, "", values);
  RC_ASSERT(values.size() == ours.entries.size());
  for (auto& entry : ours.entries) {
    RC_ASSERT(values.count(entry.path) == 1u);
    RC_ASSERT(same(entry.value, values.at(entry.path)));
  }
  return true;
}

/// Any number below `end`, whatever the size of the case.
std::size_t pick(std::size_t end) {
  return *rc::gen::resize(rc::kNominalSize, rc::gen::inRange<std::size_t>(0, end));
}

std::string word(std::initializer_list<std::string> words) {
  return *rc::gen::elementOf(std::vector<std::string>{words});
}

std::string blank() {
  return word({"", " ", "  ", "\t"});
}

std::string new_line() {
  return word({"\n", "\n\n", " ; a } comment {\n", "\n  ; = \"\n\t"});
}

std::string number() {
  return std::to_string(pick(100000));
}

std::string value(int depth) {
  switch (pick(depth > 0 ? 9 : 8)) {
  case 0:
    return word({"", "-", "+"}) + number();
  case 1:
    return number() + word({"ns", "us", "ms", "s", "min", "h"});
  case 2:
    return word({"true", "false"});
  case 3:
    return "\"" + word({"", "a b", "\\n\\\\", "; x {", "\\\"", "\xC3\xA9"}) + "\"";
  case 4:
    return "'" + word({"", "sharing", "a_b 9", "ABCDEFGHIJ"}) + "'";
  case 5:
    return word({"", "-"}) + number() + "." + number();
  case 6:
    return number() + "." + number() + word({"e", "E"}) + word({"", "+", "-"}) +
           word({"0", "7", "12"});
  case 7:
    return word({"0x1fA", "0X0", "-0xff", "0b1010", "0B1", "0", "0s", "0.5"});
  default: {
    std::string result = "[";
    auto count = *rc::gen::inRange(0, 4);
    for (auto i = 0; i < count; ++i)
      result += (i ? "," : "") + word({"", " ", "\n", "; x\n"}) + value(depth - 1) + blank();
    return result + word({"", "\n", count ? "," : ""}) + "]";
  }
  }
}

std::string members(int depth, bool top) {
  std::string result = word({"", "\n", new_line()});
  auto count = pick(5);
  for (std::size_t i = 0; i < count; ++i) {
    auto key = word({"a", "b-c", "d_e", "max-threads", "7"}) + std::to_string(i);
    if (depth > 0 && pick(2) == 0)
      result += key + blank() + word({"", "="}) + blank() + "{" + members(depth - 1, false) + "}";
    else
      result += key + blank() + "=" + blank() + value(2);
    result += blank();
    auto last = i + 1 == count;
    result += top || pick(2) == 0 ? new_line() : last ? "" : "," + word({"", "\n", " "});
  }
  return result;
}

RC_GTEST_PROP(config_file, accepts_the_whole_syntax_and_agrees_with_caf, ()) {
  auto text = members(3, true);
  auto errors = scan_config(text, "node.conf").errors;
  if (!errors.empty())
    RC_FAIL(to_string(errors.front()) + "\n" + text);
  RC_LOG() << text;
  RC_ASSERT(expect_same_by_caf(text));
}

RC_GTEST_PROP(config_file, agrees_with_caf_on_whatever_it_accepts, ()) {
  auto text = members(2, true);
  const auto whole = text;
  auto cuts = pick(4);
  for (std::size_t i = 0; i < cuts; ++i) {
    auto at = pick(text.size() + 1);
    auto gone = pick(3);
    auto piece = word({"",  "{", "}", "\n", ",", ";", "=", "\"", "'",  "[",  "]", " ",     "0", "9",
                       "e", ".", "-", "_",  "s", "m", "x", "#",  "\\", "\t", "<", "a = 1", "\r"});
    text.replace(at, std::min(gone, text.size() - at), piece);
  }
  RC_LOG() << text;
  const bool accepted = expect_same_by_caf(text);
  RC_CLASSIFY(accepted);
  RC_ASSERT(accepted || text != whole);
}

} // namespace
} // namespace signalbox
