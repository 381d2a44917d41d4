#include "runtime/settings_table.hpp"
#include "runtime/settings_text.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <fstream>
#include <iterator>
#include <set>

namespace signalbox {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;

std::vector<std::string> lines(const loaded_settings& loaded) {
  std::vector<std::string> result;
  for (auto& setting : loaded.effective)
    result.push_back(setting.name + " = " + setting.value);
  return result;
}

TEST(settings_text, lists_errors_line_by_line) {
  EXPECT_EQ(to_text({{"node.conf", 3, "http.port", "bad"}, {"environment", 0, "X", "worse"}}),
            "node.conf:3: http.port: bad\nenvironment: X: worse\n");
}

TEST(settings_text, dumps_values_with_their_origin) {
  auto dump = dump_settings(parse_settings("http {\n  port = 1\n}\nlane { bulk { } }\n",
                                           "node.conf", {{"SIGNALBOX_LANE_BULK_MASTERS", "2"}}));
  EXPECT_THAT(dump,
              HasSubstr("http {\n  address = \"127.0.0.1\" ; default\n  port = 1 ; node.conf:2\n"));
  EXPECT_THAT(
    dump, HasSubstr("  bulk {\n    kind = \"push\" ; default\n    masters = 2 ; environment\n"));
}

TEST(settings_text, a_dump_is_a_file_that_says_the_same) {
  auto loaded = parse_settings("http { address = \"::1\" }\n"
                               "store { path = \"a \\\"b\\\" \\\\c; {\" }\n"
                               "lane { bulk { lease = 61s } }\n",
                               "node.conf", {{"SIGNALBOX_LOG_LEVEL", "warn"}});
  ASSERT_THAT(to_text(loaded.errors), IsEmpty());
  auto again = parse_settings(dump_settings(loaded), "dump.conf", {});
  EXPECT_EQ(to_text(again.errors), "");
  EXPECT_EQ(lines(again), lines(loaded));
  EXPECT_EQ(again.settings.store.path, "a \"b\" \\c; {");
}

/// A value of the range as the environment has it.
std::string any_text(const setting_range& range) {
  auto any = [&](std::int64_t max) {
    return *rc::gen::inRange<std::int64_t>(range.min, std::min(range.max, max) + 1);
  };
  switch (range.kind) {
  case setting_kind::integer:
  case setting_kind::bytes:
    return std::to_string(any(range.max));
  case setting_kind::duration:
    return std::to_string(any(range.max)) + "ms";
  case setting_kind::choice:
    return std::string{*rc::gen::elementOf(range.choices)};
  case setting_kind::names: {
    std::string names;
    for (auto& name : *rc::gen::container<std::vector<std::string>>(rc::gen::container<std::string>(
           3, rc::gen::elementOf(std::string{"ab1.;{}[]=\"\\'#/"}))))
      names += (names.empty() ? "" : ", ") + name;
    return names;
  }
  default:
    return *rc::gen::container<std::string>(
      static_cast<std::size_t>(any(40)),
      rc::gen::elementOf(std::string{"ab 1.;{}[]=,\"\\'#/\xC3"}));
  }
}

RC_GTEST_PROP(settings_text, a_dump_of_any_settings_says_the_same, ()) {
  environment_variables environment;
  node_settings defaults;
  for (auto& row : settings_table())
    if (*rc::gen::arbitrary<bool>())
      environment[environment_name(row.full_name(defaults.lanes.back()))] = any_text(row.range);
  auto loaded = parse_settings("", "node.conf", environment);
  auto again = parse_settings(dump_settings(loaded), "dump.conf", {});
  RC_ASSERT(lines(again) == lines(loaded));
}

/// What stands there up to the closing quote of a word of code.
std::string text_after(const std::string& markdown, std::string_view words) {
  const auto begin = markdown.find(words);
  if (begin == std::string::npos)
    return {};
  const auto value = begin + words.size();
  return markdown.substr(value, markdown.find('`', value) - value);
}

bool is_of(const setting& row, const std::string& name, const node_settings& settings) {
  return std::any_of(settings.lanes.begin(), settings.lanes.end(),
                     [&](const auto& lane) { return row.full_name(lane) == name; });
}

TEST(settings_text, a_dump_shows_secrets_by_their_paths_only) {
  auto loaded = parse_settings("apns { key-file = \"/etc/key.p8\" }\n", "node.conf", {});
  EXPECT_THAT(dump_settings(loaded), HasSubstr("key-file = \"/etc/key.p8\" ; node.conf:1"));
}

TEST(settings_text, markdown_has_a_row_for_every_setting) {
  auto markdown = settings_markdown();
  for (auto& row : settings_table())
    EXPECT_THAT(markdown, HasSubstr("| `" + std::string{row.name} + "`<br>`SIGNALBOX_"));
}

TEST(settings_text,
     markdown_begins_with_a_file_of_every_kind_of_value_and_says_what_variables_have) {
  const auto markdown = settings_markdown();
  const auto begin = markdown.find("```\n") + 4;
  const auto loaded =
    parse_settings(markdown.substr(begin, markdown.find("```", begin) - begin), "node.conf",
                   {{"SIGNALBOX_HTTP_HOSTS", text_after(markdown, "`SIGNALBOX_HTTP_HOSTS=")},
                    {"SIGNALBOX_HTTP_ADDRESS", text_after(markdown, "`SIGNALBOX_HTTP_ADDRESS=")}});
  EXPECT_EQ(to_text(loaded.errors), "");
  std::set<setting_kind> shown;
  std::set<setting_kind> known;
  for (const auto& row : settings_table()) {
    known.insert(row.range.kind);
    for (const auto& one : loaded.effective)
      if (one.origin != "default" && is_of(row, one.name, loaded.settings))
        shown.insert(row.range.kind);
  }
  EXPECT_EQ(shown, known);
  EXPECT_EQ(loaded.settings.http.hosts, (std::vector<std::string>{"push", "push.example.com"}));
  const auto emptied =
    parse_settings("http { hosts = [\"push\"] }", "node.conf", {{"SIGNALBOX_HTTP_HOSTS", ""}});
  EXPECT_EQ(to_text(emptied.errors), "");
  EXPECT_THAT(emptied.settings.http.hosts, IsEmpty());
}

TEST(settings_text, documentation_is_up_to_date) {
  std::ifstream file{SOURCE_DIR "/docs/settings.md"};
  std::string text{std::istreambuf_iterator<char>{file}, {}};
  EXPECT_EQ(text, settings_markdown()) << "run signalboxd --settings-markdown > docs/settings.md";
}

} // namespace
} // namespace signalbox
