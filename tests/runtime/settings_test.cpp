#include "runtime/settings.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <unistd.h>

namespace signalbox {
namespace {

using namespace std::chrono_literals;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

loaded_settings parsed(std::string_view text, const environment_variables& environment = {}) {
  return parse_settings(text, "node.conf", environment);
}

std::vector<std::string> texts(const std::vector<config_error>& errors) {
  std::vector<std::string> result;
  for (auto& error : errors)
    result.push_back(to_string(error));
  return result;
}

std::vector<std::string> mistakes(std::string_view text,
                                  const environment_variables& environment = {}) {
  return texts(parsed(text, environment).errors);
}

std::string origin(const loaded_settings& loaded, std::string_view name) {
  for (auto& setting : loaded.effective)
    if (setting.name == name)
      return setting.value + " " + setting.origin;
  return "";
}

constexpr std::string_view apns = "apns {\n"
                                  "  bundle = \"com.example.app\"\n"
                                  "  key-file = \"no-such-key.p8\"\n"
                                  "  key-id = \"ABC1234567\"\n"
                                  "  team-id = \"DEF1234567\"\n"
                                  "}\n";

class temporary_directory {
public:
  temporary_directory() {
    auto pattern = (std::filesystem::temp_directory_path() / "settings-XXXXXX").string();
    path_ = mkdtemp(pattern.data());
  }

  ~temporary_directory() { std::filesystem::remove_all(path_); }

  std::filesystem::path write(const std::string& name, std::string_view text) const {
    std::ofstream{path_ / name} << text;
    return path_ / name;
  }

  const std::filesystem::path& path() const { return path_; }

private:
  std::filesystem::path path_;
};

TEST(settings, are_the_defaults_without_a_file) {
  auto loaded = load_settings(std::nullopt, {});
  EXPECT_THAT(loaded.errors, IsEmpty());
  EXPECT_EQ(loaded.settings.http.port, 8080);
  ASSERT_EQ(loaded.settings.lanes.size(), 2u);
  EXPECT_EQ(loaded.settings.lanes[0].name, "push");
  EXPECT_EQ(loaded.settings.lanes[1].kind, lane_settings::lane_kind::live_activity);
  EXPECT_EQ(origin(loaded, "lane.live-activity.kind"), "\"live-activity\" default");
  EXPECT_EQ(loaded.settings.apns.token_refresh, 50min);
}

TEST(settings, are_read_from_a_file_into_their_types) {
  auto loaded = parsed("http { port = 0, max-body = \"2MiB\" }\n"
                       "store { path = \"/data/x.db\" }\n"
                       "log {\n  level = \"trace\"\n  format = \"json\"\n}\n"
                       "lane {\n"
                       "  push { masters = 3 }\n"
                       "  bulk { lease = 30s }\n"
                       "  island { kind = \"live-activity\" }\n"
                       "}\n");
  ASSERT_THAT(texts(loaded.errors), IsEmpty());
  auto& settings = loaded.settings;
  EXPECT_EQ(settings.http.port, 0);
  EXPECT_EQ(settings.http.max_body_bytes, 2u << 20);
  EXPECT_EQ(settings.store.path, "/data/x.db");
  EXPECT_EQ(settings.log.level, node_settings::log_group::level_name::trace);
  EXPECT_EQ(settings.log.format, node_settings::log_group::format_name::json);
  ASSERT_EQ(settings.lanes.size(), 4u);
  EXPECT_EQ(settings.lanes[0].masters, 3u);
  EXPECT_EQ(settings.lanes[1].masters, 1u);
  EXPECT_EQ(settings.lanes[2].name, "bulk");
  EXPECT_EQ(settings.lanes[2].kind, lane_settings::lane_kind::push);
  EXPECT_EQ(settings.lanes[2].lease, 30s);
  EXPECT_EQ(settings.lanes[3].kind, lane_settings::lane_kind::live_activity);
}

TEST(settings, of_an_empty_lane_are_defaults) {
  auto loaded = parsed("lane { bulk { } }\n");
  ASSERT_THAT(texts(loaded.errors), IsEmpty());
  EXPECT_EQ(origin(loaded, "lane.bulk.senders"), "1 default");
}

TEST(settings, of_the_environment_win) {
  auto loaded = parsed("http {\n  port = 1\n  threads = 2\n}\nlane { bulk { } }\n",
                       {{"SIGNALBOX_HTTP_PORT", "9"},
                        {"SIGNALBOX_HTTP_ADDRESS", "::1"},
                        {"SIGNALBOX_LANE_LIVE_ACTIVITY_FLUSH_INTERVAL", "5ms"},
                        {"SIGNALBOX_LANE_BULK_MASTERS", "7"},
                        {"HOME", "/"}});
  ASSERT_THAT(texts(loaded.errors), IsEmpty());
  EXPECT_EQ(loaded.settings.http.port, 9);
  EXPECT_EQ(loaded.settings.http.address, "::1");
  EXPECT_EQ(loaded.settings.lanes[1].flush_interval, 5ms);
  EXPECT_EQ(loaded.settings.lanes[2].masters, 7u);
  EXPECT_EQ(origin(loaded, "http.port"), "9 environment");
  EXPECT_EQ(origin(loaded, "http.threads"), "2 node.conf:3");
  EXPECT_EQ(origin(loaded, "http.max-body"), "1048576 default");
}

TEST(settings, report_unknown_names_with_a_suggestion) {
  EXPECT_THAT(mistakes("http {\n  prot = 1\n}\n"),
              ElementsAre("node.conf:2: http.prot: unknown setting; did you mean http.port?"));
  EXPECT_THAT(mistakes("htpt {\n  port = 1\n}\n"),
              ElementsAre("node.conf:1: htpt: unknown group; did you mean http?"));
  EXPECT_THAT(mistakes("lane {\n  bulk {\n    master = 1\n  }\n}\n"),
              ElementsAre("node.conf:3: lane.bulk.master: unknown setting; did you mean "
                          "lane.bulk.masters?"));
  EXPECT_THAT(mistakes("port = 1\n"),
              ElementsAre("node.conf:1: port: unknown setting; did you mean http.port?"));
}

TEST(settings, report_unknown_variables) {
  EXPECT_THAT(mistakes("", {{"SIGNALBOX_HTTP_PROT", "1"}}),
              ElementsAre("environment: SIGNALBOX_HTTP_PROT: unknown setting, or of a lane that is "
                          "not configured; did you mean SIGNALBOX_HTTP_PORT?"));
  EXPECT_THAT(mistakes("", {{"SIGNALBOX_LANE_BULK_MASTERS", "1"}}),
              ElementsAre(HasSubstr("a lane that is not configured")));
}

TEST(settings, report_bad_variables_by_their_names) {
  EXPECT_THAT(
    mistakes("", {{"SIGNALBOX_HTTP_PORT", "80x"}, {"SIGNALBOX_STOP_DEADLINE", "20"}}),
    ElementsAre(HasSubstr("environment: SIGNALBOX_HTTP_PORT: expected an integer from 0 to "
                          "65535, found \"80x\""),
                HasSubstr("environment: SIGNALBOX_STOP_DEADLINE: expected a duration "
                          "from 1s to 10min, found 20 without a unit")));
}

TEST(settings, report_a_variable_that_two_lanes_share) {
  EXPECT_THAT(mistakes("lane { push-ingest { } }\n", {{"SIGNALBOX_LANE_PUSH_INGEST_MAILBOX", "5"}}),
              ElementsAre(HasSubstr("stands for both lane.push.ingest-mailbox and "
                                    "lane.push-ingest.mailbox")));
}

TEST(settings, report_values_out_of_range_or_of_another_kind) {
  EXPECT_THAT(
    mistakes("http {\n  port = 99999\n  threads = \"2\"\n  idle-timeout = 60\n}\n"),
    ElementsAre("node.conf:2: http.port: expected an integer from 0 to 65535, found 99999",
                "node.conf:3: http.threads: expected an integer from 1 to 16, found \"2\"",
                HasSubstr("node.conf:4: http.idle-timeout: expected a duration from 1s to "
                          "1h, found 60 without a unit")));
}

TEST(settings, report_mistakes_of_every_sort_at_once) {
  EXPECT_THAT(mistakes("http {\n"
                       "  prot = 1\n"
                       "  port = -1\n"
                       "  port = 2\n"
                       "}\n"
                       "stop { deadline = 5m }\n"
                       "lane { push { backoff-min = 10min } }\n",
                       {{"SIGNALBOX_NOTHING", ""}}),
              ElementsAre(HasSubstr("node.conf:2: http.prot"), HasSubstr("node.conf:3: http.port"),
                          HasSubstr("node.conf:4: http.port: repeated"),
                          HasSubstr("node.conf:6: stop.deadline"),
                          HasSubstr("environment: SIGNALBOX_NOTHING"),
                          HasSubstr("node.conf:7: lane.push.backoff-min: 10min is longer")));
}

TEST(settings, tell_groups_from_settings) {
  EXPECT_THAT(mistakes("http = 1\nstore {\n  readers { }\n}\nlane {\n  push = 1\n}\n"),
              ElementsAre(HasSubstr("node.conf:1: http: this is a group"),
                          HasSubstr("node.conf:3: store.readers: this is a setting, not a group"),
                          HasSubstr("node.conf:6: lane.push: this is a group")));
}

TEST(settings, refuse_what_the_node_sets_in_caf_itself) {
  EXPECT_THAT(
    mistakes("scheduler {\n  policy = 'stealing'\n  max-threads = 3\n}\n"
             "middleman {\n  workers = 2\n}\n"),
    ElementsAre(HasSubstr("node.conf:2: scheduler.policy: the node always uses 'sharing'"),
                HasSubstr("node.conf:5: middleman: this group of CAF")));
}

TEST(settings, refuse_lane_names_that_cannot_be_labels) {
  for (auto name : {"Bulk", "a_b", "9lives", "a-name-that-is-longer-than-32-letters"})
    EXPECT_THAT(
      mistakes("lane { " + std::string{name} + " { } }\n"),
      ElementsAre(HasSubstr("node.conf:1: lane." + std::string{name} + ": a lane's name")));
}

TEST(settings, name_the_missing_brace_and_no_more) {
  EXPECT_THAT(mistakes("http {\n  port = 1\n\nlane {\n  push { masters = 2 }\n}\n"),
              ElementsAre("node.conf:1: http: this group is never closed: a closing brace } is "
                          "missing"));
}

TEST(settings, name_a_file_that_cannot_be_read) {
  temporary_directory directory;
  auto missing = directory.path() / "missing.conf";
  EXPECT_THAT(texts(load_settings(missing, {}).errors),
              ElementsAre(missing.string() + ": cannot be read: No such file or directory"));
  EXPECT_THAT(texts(load_settings(directory.path(), {}).errors),
              ElementsAre(directory.path().string() + ": cannot be read: Is a directory"));
}

TEST(settings, are_loaded_from_a_file) {
  temporary_directory directory;
  auto file = directory.write("node.conf", "http { port = 7 }\n");
  auto loaded = load_settings(file, {});
  EXPECT_THAT(texts(loaded.errors), IsEmpty());
  EXPECT_EQ(loaded.settings.http.port, 7);
  EXPECT_EQ(origin(loaded, "http.port"), "7 " + file.string() + ":1");
}

TEST(settings, name_secrets_files_that_cannot_be_read) {
  auto loaded = parsed(apns, {{"SIGNALBOX_HTTP_PORT", "0"}});
  ASSERT_THAT(texts(loaded.errors), IsEmpty());
  EXPECT_THAT(texts(check_start(loaded)),
              ElementsAre("node.conf:3: apns.key-file: no-such-key.p8: No such file or directory"));
}

TEST(settings, skip_a_byte_order_mark) {
  auto loaded = parsed("\xEF\xBB\xBFhttp { port = 7 }\n");
  EXPECT_THAT(texts(loaded.errors), IsEmpty());
  EXPECT_EQ(origin(loaded, "http.port"), "7 node.conf:1");
}

TEST(settings, leave_out_the_links_of_a_service_and_say_so) {
  auto loaded = parsed("", {{"SIGNALBOX_PORT", "tcp://10.96.1.2:8080"},
                            {"SIGNALBOX_SERVICE_HOST", "10.96.1.2"},
                            {"SIGNALBOX_HTTP_PORT", "tcp://10.96.1.2:80"}});
  EXPECT_THAT(texts(loaded.errors), IsEmpty());
  EXPECT_EQ(loaded.settings.http.port, 8080);
  EXPECT_THAT(texts(loaded.warnings),
              ElementsAre(HasSubstr("environment: SIGNALBOX_HTTP_PORT: "),
                          HasSubstr("environment: SIGNALBOX_PORT: "),
                          HasSubstr("environment: SIGNALBOX_SERVICE_HOST: looks like the link")));
  EXPECT_THAT(mistakes("", {{"SIGNALBOX_PORT", "8080"}}), ElementsAre(HasSubstr("SIGNALBOX_PORT")));
}

TEST(settings, come_from_the_process_environment) {
  ASSERT_EQ(setenv("SIGNALBOX_HTTP_PORT", "4711", 1), 0);
  auto environment = process_environment();
  ASSERT_EQ(unsetenv("SIGNALBOX_HTTP_PORT"), 0);
  EXPECT_EQ(environment["SIGNALBOX_HTTP_PORT"], "4711");
  EXPECT_EQ(environment.count("PATH"), 0u);
}

class example : public testing::TestWithParam<const char*> {};

TEST_P(example, passes_the_check) {
  auto path = std::filesystem::path{SOURCE_DIR} / "config" / GetParam();
  auto loaded = load_settings(path, {});
  EXPECT_THAT(texts(loaded.errors), IsEmpty());
}

/// What people are told to take the comments from must be right as well.
TEST_P(example, passes_with_its_commented_settings) {
  std::ifstream file{std::filesystem::path{SOURCE_DIR} / "config" / GetParam()};
  std::string text;
  for (std::string line; std::getline(file, line);) {
    auto comment = line.find_first_not_of(' ');
    if (comment != std::string::npos && comment > 0 && line[comment] == ';' &&
        line.find_first_of("={}") != std::string::npos)
      line.erase(comment, 2);
    text += line + "\n";
  }
  auto loaded = parsed(text);
  EXPECT_THAT(texts(loaded.errors), IsEmpty());
  EXPECT_NE(loaded.settings.apns.bundle, "");
}

INSTANTIATE_TEST_SUITE_P(config, example,
                         testing::Values("development.conf", "production-sqlite.conf"));

} // namespace
} // namespace signalbox
