#include "runtime/setting_range.hpp"

#include <gtest/gtest.h>

namespace signalbox {
namespace {

using namespace std::chrono_literals;
using std::chrono::milliseconds;
using std::chrono::nanoseconds;

const setting_range port{setting_kind::integer, 0, 65535, {}};
const setting_range body{setting_kind::bytes, 1024, 64 << 20, {}};
const setting_range lease{setting_kind::duration, 1000, 600000, {}};
const setting_range level{setting_kind::choice, 0, 0, {"debug", "info", "warn"}};
const setting_range bundle{setting_kind::string, 0, 8, {}};
const setting_range file{setting_kind::path, 1, 4096, {}};

const setting_range hosts{setting_kind::names, 0, 3, {}};

std::string why_not(const setting_range& range, config_value value) {
  std::string why;
  EXPECT_FALSE(check_value(range, value, why));
  return why;
}

std::string why_no_text(const setting_range& range, std::string_view text) {
  std::string why;
  EXPECT_FALSE(check_text(range, text, why));
  return why;
}

std::optional<setting_value> checked(const setting_range& range, config_value value) {
  std::string why;
  return check_value(range, value, why);
}

TEST(setting_range, takes_the_ends_of_a_range_and_nothing_beyond) {
  EXPECT_EQ(checked(port, {std::int64_t{0}}), setting_value{std::int64_t{0}});
  EXPECT_EQ(checked(port, {std::int64_t{65535}}), setting_value{std::int64_t{65535}});
  EXPECT_EQ(why_not(port, {std::int64_t{65536}}),
            "expected an integer from 0 to 65535, found 65536");
  EXPECT_EQ(why_not(port, {std::int64_t{-1}}), "expected an integer from 0 to 65535, found -1");
  EXPECT_EQ(checked(lease, {nanoseconds{1s}}), setting_value{milliseconds{1000}});
  EXPECT_EQ(checked(lease, {nanoseconds{10min}}), setting_value{milliseconds{600000}});
  EXPECT_EQ(why_not(lease, {nanoseconds{999ms}}),
            "expected a duration from 1s to 10min, found 999ms");
}

TEST(setting_range, refuses_other_kinds) {
  EXPECT_EQ(why_not(port, {std::string{"80"}}),
            "expected an integer from 0 to 65535, found \"80\"");
  EXPECT_EQ(why_not(port, {true}), "expected an integer from 0 to 65535, found a boolean");
  EXPECT_EQ(why_not(port, {80.0}), "expected an integer from 0 to 65535, found a real number");
  EXPECT_EQ(why_not(port, {nanoseconds{80s}}), "expected an integer from 0 to 65535, found 80s");
  EXPECT_EQ(why_not(port, {config_value::list{}}),
            "expected an integer from 0 to 65535, found a list");
  EXPECT_EQ(why_not(bundle, {config_atom{"abc"}}),
            "expected a string of up to 8 bytes, found 'abc'; strings stand in double quotes");
  EXPECT_EQ(why_not(bundle, {std::int64_t{1}}), "expected a string of up to 8 bytes, found 1");
}

TEST(setting_range, asks_for_a_durations_unit) {
  EXPECT_EQ(why_not(lease, {std::int64_t{15}}), "expected a duration from 1s to 10min, found 15 "
                                                "without a unit (ns, us, ms, s, min or h)");
  EXPECT_EQ(why_no_text(lease, "15"), "expected a duration from 1s to 10min, found 15 "
                                      "without a unit (ns, us, ms, s, min or h)");
}

TEST(setting_range, refuses_durations_that_milliseconds_cannot_tell) {
  EXPECT_EQ(why_not(lease, {nanoseconds{1s} + 1us}),
            "expected a duration from 1s to 10min in whole milliseconds, found 1000001000ns");
}

TEST(setting_range, reads_sizes_with_and_without_units) {
  EXPECT_EQ(checked(body, {std::int64_t{1024}}), setting_value{std::int64_t{1024}});
  EXPECT_EQ(checked(body, {std::string{"64KiB"}}), setting_value{std::int64_t{65536}});
  EXPECT_EQ(checked(body, {std::string{"64MiB"}}), setting_value{std::int64_t{67108864}});
  EXPECT_EQ(why_not(body, {std::string{"1GiB"}}),
            "expected a size from 1024 to 67108864 bytes, found \"1GiB\"");
  EXPECT_EQ(why_not(body, {std::string{"4MB"}}),
            "expected a size from 1024 to 67108864 bytes, found \"4MB\"");
  EXPECT_FALSE(checked(body, {std::string{"-1MiB"}}));
  EXPECT_FALSE(checked(body, {std::string{"9223372036854775807GiB"}}));
  EXPECT_FALSE(checked(port, {std::string{"1KiB"}}));
}

TEST(setting_range, reads_choices) {
  EXPECT_EQ(checked(level, {std::string{"warn"}}), setting_value{std::string{"warn"}});
  EXPECT_EQ(why_not(level, {std::string{"Warn"}}),
            "expected \"debug\", \"info\" or \"warn\", found \"Warn\"");
}

TEST(setting_range, limits_texts) {
  EXPECT_EQ(checked(bundle, {std::string{}}), setting_value{std::string{}});
  EXPECT_EQ(why_not(bundle, {std::string(9, 'x')}),
            "expected a string of up to 8 bytes, found \"xxxxxxxxx\"");
  EXPECT_EQ(why_not(file, {std::string{}}), "expected a path from 1 to 4096 bytes, found \"\"");
  EXPECT_EQ(why_not(bundle, {std::string{"a\nb"}}), "a control character cannot stand here");
}

TEST(setting_range, reads_lists_of_names) {
  using names = std::vector<std::string>;
  const config_value::list two{{std::string{"a.b"}}, {std::string{"c"}}};
  EXPECT_EQ(checked(hosts, {two}), (setting_value{names{"a.b", "c"}}));
  EXPECT_EQ(checked(hosts, {std::string{"a.b, c"}}), (setting_value{names{"a.b", "c"}}));
  EXPECT_EQ(checked(hosts, {std::string{}}), setting_value{names{}});
  EXPECT_EQ(checked(hosts, {config_value::list{}}), setting_value{names{}});
  std::string why;
  EXPECT_EQ(check_text(hosts, "a.b,c , d", why), (setting_value{names{"a.b", "c", "d"}}));
  const std::string expected = "expected a list of up to 3 names of up to 253 bytes each, found ";
  EXPECT_EQ(why_no_text(hosts, "a,,b"), expected + "\"\"");
  EXPECT_EQ(why_no_text(hosts, "a b"), expected + "\"a b\"");
  EXPECT_EQ(why_no_text(hosts, "a,b,c,d"), expected + "4");
  EXPECT_EQ(why_no_text(hosts, std::string(254, 'x')),
            expected + '"' + std::string(254, 'x') + '"');
  EXPECT_EQ(why_not(hosts, {config_value::list{{std::int64_t{1}}}}), expected + "a list");
  EXPECT_EQ(why_not(hosts, {true}), expected + "a boolean");
  EXPECT_EQ(to_config_text(setting_value{names{"a", "b"}}), "[\"a\", \"b\"]");
  EXPECT_EQ(to_config_text(setting_value{names{}}), "[]");
}

TEST(setting_range, reads_the_environment_without_quotes) {
  std::string why;
  EXPECT_EQ(check_text(bundle, "a b", why), setting_value{std::string{"a b"}});
  EXPECT_EQ(check_text(level, "info", why), setting_value{std::string{"info"}});
  EXPECT_EQ(check_text(port, " 80 ", why), setting_value{std::int64_t{80}});
  EXPECT_EQ(check_text(body, "1MiB", why), setting_value{std::int64_t{1048576}});
  EXPECT_EQ(check_text(body, "2048", why), setting_value{std::int64_t{2048}});
  EXPECT_EQ(check_text(lease, "2min", why), setting_value{milliseconds{120000}});
  EXPECT_EQ(why_no_text(port, ""), "expected an integer from 0 to 65535, found \"\"");
  EXPECT_EQ(why_no_text(port, "http"), "expected an integer from 0 to 65535, found \"http\"");
  EXPECT_EQ(why_no_text(port, "80 81"), "expected an integer from 0 to 65535, found \"80 81\"");
}

TEST(setting_range, writes_values_as_a_file_has_them) {
  EXPECT_EQ(to_config_text(setting_value{std::int64_t{-5}}), "-5");
  EXPECT_EQ(to_config_text(setting_value{milliseconds{0}}), "0ms");
  EXPECT_EQ(to_config_text(setting_value{milliseconds{1500}}), "1500ms");
  EXPECT_EQ(to_config_text(setting_value{milliseconds{90000}}), "90s");
  EXPECT_EQ(to_config_text(setting_value{milliseconds{3000000}}), "50min");
  EXPECT_EQ(to_config_text(setting_value{milliseconds{7200000}}), "2h");
  EXPECT_EQ(to_config_text(setting_value{std::string{"a\"\\"}}), "\"a\\\"\\\\\"");
}

} // namespace
} // namespace signalbox
