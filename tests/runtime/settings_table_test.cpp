#include "runtime/settings_table.hpp"

#include <gtest/gtest.h>

#include <set>

namespace signalbox {
namespace {

using std::chrono::milliseconds;

/// A value of the row's range that is not its default.
setting_value another(const setting& row, const setting_value& value) {
  switch (row.range.kind) {
  case setting_kind::integer:
  case setting_kind::bytes:
    return value == setting_value{row.range.max} ? row.range.min : row.range.max;
  case setting_kind::duration:
    return value == setting_value{milliseconds{row.range.max}} ? milliseconds{row.range.min}
                                                               : milliseconds{row.range.max};
  case setting_kind::choice:
    return std::string{value == setting_value{std::string{row.range.choices.back()}}
                         ? row.range.choices.front()
                         : row.range.choices.back()};
  case setting_kind::names:
    return std::vector<std::string>{"another", "one"};
  default:
    return std::string{"another"};
  }
}

TEST(settings_table, names_are_unique_and_so_are_their_environment_names) {
  std::set<std::string_view> names;
  std::set<std::string> variables;
  for (auto& row : settings_table()) {
    EXPECT_TRUE(names.insert(row.name).second) << row.name;
    EXPECT_TRUE(variables.insert(environment_name(row.name)).second) << row.name;
  }
}

TEST(settings_table, defaults_lie_in_their_ranges) {
  node_settings node;
  for (auto& row : settings_table()) {
    auto value = row.get(node, node.lanes.front());
    std::string why;
    auto text = to_config_text(value);
    auto unquoted = text.starts_with('"') ? text.substr(1, text.size() - 2) : text;
    EXPECT_EQ(check_text(row.range, unquoted, why), value) << row.name << ": " << why;
  }
}

TEST(settings_table, each_row_reads_and_writes_a_member_of_its_own) {
  node_settings node;
  auto& lane = node.lanes.front();
  std::vector<setting_value> expected;
  for (auto& row : settings_table())
    expected.push_back(row.get(node, lane));
  for (std::size_t changed = 0; changed < expected.size(); ++changed) {
    auto& row = settings_table()[changed];
    expected[changed] = another(row, expected[changed]);
    row.set(node, lane, expected[changed]);
    for (std::size_t i = 0; i < expected.size(); ++i)
      ASSERT_EQ(settings_table()[i].get(node, lane), expected[i])
        << settings_table()[i].name << " after " << row.name;
  }
}

TEST(settings_table, every_row_explains_itself) {
  for (auto& row : settings_table()) {
    EXPECT_TRUE(row.text.ends_with('.')) << row.name;
    EXPECT_NE(row.name.find('.'), std::string_view::npos) << row.name;
    EXPECT_EQ(row.text.find('|'), std::string_view::npos) << row.name;
  }
}

TEST(settings_table, makes_environment_names) {
  EXPECT_EQ(environment_name("http.port"), "SIGNALBOX_HTTP_PORT");
  EXPECT_EQ(environment_name("lane.live-activity.flush-size"),
            "SIGNALBOX_LANE_LIVE_ACTIVITY_FLUSH_SIZE");
}

} // namespace
} // namespace signalbox
