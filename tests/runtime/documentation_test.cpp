#include "runtime/settings_table.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <regex>
#include <set>
#include <string>

namespace signalbox {
namespace {

namespace fs = std::filesystem;

std::string text_of(const fs::path& file) {
  std::ifstream in{file};
  return {std::istreambuf_iterator<char>{in}, {}};
}

std::set<std::string> settings() {
  std::set<std::string> names;
  const node_settings defaults;
  for (const auto& row : settings_table()) {
    names.emplace(row.name);
    for (const auto& lane : defaults.lanes)
      names.insert(row.full_name(lane));
  }
  return names;
}

/// Members of requests and of what providers get are written with dots, too.
bool is_of_messages(const std::string& name, const std::string& api) {
  static const std::set<std::string> roots{"android", "aps",          "data",    "firebase",
                                           "message", "notification", "options", "webpush"};
  const auto last = name.substr(name.rfind('.') + 1);
  return roots.contains(name.substr(0, name.find('.'))) ||
         api.find(last + ":") != std::string::npos;
}

bool is_file(const std::string& name) {
  static const std::set<std::string> endings{"conf", "cpp", "db",   "hpp", "json", "lock",
                                             "log",  "md",  "p8",   "pem", "py",   "service",
                                             "sh",   "sql", "yaml", "com", "org"};
  return endings.contains(name.substr(name.rfind('.') + 1));
}

TEST(documentation, names_no_setting_that_does_not_exist) {
  const fs::path top{SOURCE_DIR};
  std::vector<fs::path> files{top / "README.md"};
  for (const auto* folder : {"docs", "config"})
    for (const auto& entry : fs::directory_iterator{top / folder})
      files.push_back(entry.path());
  const auto known = settings();
  const auto api = text_of(top / "docs/openapi.yaml");
  const std::regex quoted{"`([a-z]+(\\.([a-z][a-z-]*|\\*))+)`"};
  std::set<std::string> found;
  for (const auto& file : files) {
    const auto text = text_of(file);
    for (std::sregex_iterator at{text.begin(), text.end(), quoted}, end; at != end; ++at) {
      const std::string name = (*at)[1];
      found.insert(name);
      if (!known.contains(name) && !is_file(name) && !is_of_messages(name, api))
        ADD_FAILURE() << file << " names " << name;
    }
  }
  EXPECT_THAT(found, testing::IsSupersetOf({"http.idle-timeout", "store.path", "lane.*.lease"}));
}

} // namespace
} // namespace signalbox
