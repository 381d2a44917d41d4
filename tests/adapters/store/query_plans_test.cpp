// The ledger's hot statements go by an index: none scans a table or sorts.

#include "adapters/store/sqlite/connection.hpp"
#include "adapters/store/sqlite/migrations.hpp"
#include "tests/adapters/store/temporary_folder.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <deque>
#include <filesystem>
#include <fstream>
#include <regex>
#include <sstream>

namespace signalbox::sqlite {
namespace {

// The SQL texts in the adapter's sources: adjacent literals that begin with a verb.
std::vector<std::string> statements_in(const std::filesystem::path& source) {
  std::ifstream file{source};
  std::stringstream content;
  content << file.rdbuf();
  const auto text = content.str();
  static const std::regex literals{R"re("(?:[^"\\]|\\.)*"(?:\s*"(?:[^"\\]|\\.)*")*)re"};
  static const std::regex joints{R"re("\s*")re"};
  static const std::regex verb{"^(SELECT|UPDATE|DELETE|INSERT) .*"};
  std::vector<std::string> found;
  for (std::sregex_iterator it{text.begin(), text.end(), literals}, end; it != end; ++it) {
    const auto joined = std::regex_replace(it->str(), joints, "");
    const auto sql = joined.substr(1, joined.size() - 2);
    if (std::regex_match(sql, verb))
      found.push_back(sql);
  }
  return found;
}

class query_plans : public testing::Test {
protected:
  query_plans() { migrate(database); }

  std::vector<std::string> plan_of(const std::string& sql) {
    std::vector<std::string> steps;
    // Statements are cached by address, so each text stays.
    const auto& text = texts.emplace_back("EXPLAIN QUERY PLAN " + sql);
    auto found = database.query(text.c_str());
    while (found.next())
      steps.emplace_back(found.text(3));
    return steps;
  }

  std::deque<std::string> texts;
  temporary_folder folder;
  connection database{folder.file("test.db"), {}};
};

TEST_F(query_plans, no_hot_statement_scans_or_sorts) {
  const std::filesystem::path sources{SOURCE_DIR "/adapters/store/sqlite"};
  int checked = 0;
  for (const auto* name : {"claims",         "clock",      "commit",   "completion", "destinations",
                           "directory_rows", "flush",      "leases",   "letters",    "loading",
                           "open_chunk",     "parking",    "planning", "replay",     "retention",
                           "scope",          "sent_marks", "states",   "sweep",      "tokens"}) {
    for (const auto& sql : statements_in(sources / (std::string{name} + ".cpp"))) {
      ++checked;
      for (const auto& step : plan_of(sql)) {
        // A handful: topics being removed, and the leases that there are.
        if (step.find("deleted_topics") != std::string::npos ||
            step.find("_leased") != std::string::npos || step == "SCAN CONSTANT ROW")
          continue;
        EXPECT_EQ(step.rfind("SCAN", 0), std::string::npos) << step << "\n  " << sql;
        EXPECT_EQ(step.find("USE TEMP B-TREE FOR ORDER"), std::string::npos) << sql;
      }
    }
  }
  EXPECT_GT(checked, 100);
}

} // namespace
} // namespace signalbox::sqlite
