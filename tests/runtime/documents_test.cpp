// What documents say of tests and settings is so.

#include "runtime/settings_table.hpp"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <regex>
#include <set>
#include <sstream>
#include <string>
#include <vector>

namespace signalbox {
namespace {

std::string content_of(const std::filesystem::path& file) {
  std::ifstream in{file};
  std::stringstream content;
  content << in.rdbuf();
  return content.str();
}

std::set<std::string> all_matches(const std::string& text, const std::regex& pattern) {
  std::set<std::string> found;
  for (std::sregex_iterator it{text.begin(), text.end(), pattern}, end; it != end; ++it)
    found.insert((*it)[1].str());
  return found;
}

/// The names of all tests: of test programs, and of scenarios with whole programs.
std::set<std::string> names_of_tests() {
  static const std::regex of_program{
    R"(\n(?:TEST|TEST_F|TEST_P|RC_GTEST_PROP|RC_GTEST_FIXTURE_PROP)"
    R"()\(\s*\w+,\s*(\w+))"};
  static const std::regex of_days{R"(\ndef (\w+)\(\):)"};
  std::set<std::string> names;
  for (const auto& entry : std::filesystem::recursive_directory_iterator{SOURCE_DIR "/tests"})
    if (entry.path().extension() == ".cpp")
      names.merge(all_matches(content_of(entry.path()), of_program));
    else if (entry.path().extension() == ".py")
      names.merge(all_matches(content_of(entry.path()), of_days));
  return names;
}

TEST(documents_test, every_entry_of_troubleshooting_names_tests_that_exist) {
  const auto names = names_of_tests();
  ASSERT_GT(names.size(), 500u);
  const auto text = content_of(SOURCE_DIR "/docs/troubleshooting.md");
  static const std::regex entry_head{R"(\n### ([^\n]+))"};
  static const std::regex tests{R"(\(tests?:\s([^)]*)\))"};
  static const std::regex quoted{"`([^`]+)`"};
  std::vector<std::size_t> heads;
  for (std::sregex_iterator it{text.begin(), text.end(), entry_head}, end; it != end; ++it)
    heads.push_back(static_cast<std::size_t>(it->position()));
  ASSERT_GT(heads.size(), 0u);
  heads.push_back(text.size());
  for (std::size_t i = 0; i + 1 < heads.size(); ++i) {
    const auto entry = text.substr(heads[i], heads[i + 1] - heads[i]);
    const auto title = entry.substr(1, entry.find('\n', 1) - 1);
    std::size_t named = 0;
    for (const auto& list : all_matches(entry, tests))
      for (const auto& name : all_matches(list, quoted)) {
        ++named;
        EXPECT_TRUE(names.count(name) == 1 ||
                    std::filesystem::exists(std::filesystem::path{SOURCE_DIR} / name))
          << title << " names a test that does not exist: " << name;
      }
    EXPECT_GT(named, 0u) << title << " has no (test: `name`)";
    const auto why = entry.find("\n**Why.** ");
    const auto what_to_do = entry.find("\n**Do.** ");
    EXPECT_TRUE(why < what_to_do && what_to_do != entry.npos)
      << title << " does not say why and what to do";
  }
}

/// What a source's literals say: those that stand one after the other are one.
std::string with_literals_joined(const std::string& source) {
  std::string joined;
  for (std::size_t i = 0; i < source.size(); ++i) {
    const auto next = source[i] == '"' ? source.find_first_not_of(" \n", i + 1) : source.npos;
    if (next != source.npos && next > i + 1 && source[next] == '"')
      i = next;
    else
      joined += source[i];
  }
  return joined;
}

std::string words_of_the_node() {
  std::string words;
  for (const auto* folder : {"messages", "actors", "adapters", "runtime"})
    for (const auto& entry :
         std::filesystem::recursive_directory_iterator{std::filesystem::path{SOURCE_DIR} / folder})
      if (entry.path().extension() == ".cpp")
        words += with_literals_joined(content_of(entry.path()));
  return words;
}

TEST(documents_test, headings_of_troubleshooting_have_the_nodes_own_words) {
  const auto known = words_of_the_node();
  const auto text = content_of(SOURCE_DIR "/docs/troubleshooting.md");
  static const std::regex head{R"(\n### ([^\n]+))"};
  static const std::regex sentence{"`([^` ]+ [^`]+)`"};
  std::size_t looked_up = 0;
  for (const auto& title : all_matches(text, head))
    for (auto said : all_matches(title, sentence))
      while (!said.empty()) {
        const auto rest = said.find("...");
        auto piece = said.substr(0, rest);
        piece.erase(0, piece.find_first_not_of(' '));
        said = rest == said.npos ? "" : said.substr(rest + 3);
        ++looked_up;
        EXPECT_NE(known.find(piece), known.npos) << title << ": nothing says " << piece;
      }
  EXPECT_GT(looked_up, 20u);
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
  static const std::set<std::string> endings{
    "conf", "cpp", "db", "db-shm",  "db-wal", "hpp", "json", "lock", "log", "md",
    "p8",   "pem", "py", "service", "sh",     "sql", "yaml", "com",  "org"};
  return endings.contains(name.substr(name.rfind('.') + 1));
}

TEST(documents_test, name_no_setting_that_does_not_exist) {
  const std::filesystem::path top{SOURCE_DIR};
  std::vector<std::filesystem::path> files{top / "README.md"};
  for (const auto* folder : {"docs", "config"})
    for (const auto& entry : std::filesystem::recursive_directory_iterator{top / folder})
      if (entry.is_regular_file())
        files.push_back(entry.path());
  const auto known = settings();
  const auto api = content_of(top / "docs/openapi.yaml");
  const std::regex quoted{"`([a-z]+(\\.([a-z][a-z-]*|\\*))+)`"};
  std::set<std::string> found;
  for (const auto& file : files) {
    const auto text = content_of(file);
    for (std::sregex_iterator at{text.begin(), text.end(), quoted}, end; at != end; ++at) {
      const std::string name = (*at)[1];
      found.insert(name);
      if (!known.contains(name) && !is_file(name) && !is_of_messages(name, api))
        ADD_FAILURE() << file << " names " << name;
    }
  }
  EXPECT_TRUE(found.contains("store.path") && found.contains("lane.*.lease"));
}

TEST(documents_test, name_no_file_that_does_not_exist) {
  const std::filesystem::path top{SOURCE_DIR};
  std::vector<std::filesystem::path> texts{top / "README.md", top / "CONTRIBUTING.md"};
  for (const auto* folder : {"docs", "bench"})
    for (const auto& entry : std::filesystem::recursive_directory_iterator{top / folder})
      if (entry.path().extension() == ".md")
        texts.push_back(entry.path());
  static const std::regex in_code{
    "`((?:messages|actors|adapters|runtime|tests|docs|bench|config)/[A-Za-z0-9_./-]*)`"};
  static const std::regex link{R"(\]\(([^):#]+)(?:#[^)]*)?\))"};
  std::set<std::string> found;
  for (const auto& text : texts) {
    const auto content = content_of(text);
    for (const auto& name : all_matches(content, in_code)) {
      found.insert(name);
      EXPECT_TRUE(std::filesystem::exists(top / name)) << text << " names " << name;
    }
    for (const auto& name : all_matches(content, link))
      EXPECT_TRUE(std::filesystem::exists(text.parent_path() / name)) << text << " links " << name;
  }
  EXPECT_TRUE(found.contains("actors/ports/")) << "docs/contributing/route.md";
}

} // namespace
} // namespace signalbox
