// The ledger's hot statements go by an index: none scans a table or sorts.

#include "adapters/store/sqlite/connection.hpp"
#include "adapters/store/sqlite/migrations.hpp"
#include "tests/adapters/store/temporary_folder.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <deque>
#include <filesystem>
#include <fstream>
#include <map>
#include <regex>
#include <sstream>

namespace signalbox::sqlite {
namespace {

std::string content_of(const std::filesystem::path& source) {
  std::ifstream file{source};
  std::stringstream content;
  content << file.rdbuf();
  return content.str();
}

// Lists of columns that statements share, by the macro's name.
std::map<std::string, std::string> macros_in(const std::filesystem::path& sources) {
  static const std::regex macro{R"re(#define (SIGNALBOX_\w+)((?:[^\n]*\\\n)*[^\n]*)\n)re"};
  static const std::regex continued{R"re(\\\n)re"};
  std::map<std::string, std::string> macros;
  for (const auto& entry : std::filesystem::directory_iterator{sources}) {
    if (!entry.is_regular_file())
      continue;
    const auto text = content_of(entry.path());
    for (std::sregex_iterator it{text.begin(), text.end(), macro}, end; it != end; ++it)
      macros[(*it)[1].str()] = std::regex_replace((*it)[2].str(), continued, "\n");
  }
  return macros;
}

// The SQL texts in the adapter's sources: adjacent literals that begin with a verb.
std::vector<std::string> statements_in(const std::filesystem::path& source,
                                       const std::map<std::string, std::string>& macros) {
  auto text = content_of(source);
  for (const auto& [name, columns] : macros)
    text = std::regex_replace(text, std::regex{"(?!#define )\\b" + name + "\\b"}, columns);
  static const std::regex literals{R"re("(?:[^"\\]|\\.)*"(?:\s*"(?:[^"\\]|\\.)*")*)re"};
  static const std::regex joints{R"re("\s*")re"};
  static const std::regex verb{"^(SELECT|UPDATE|DELETE|INSERT) .*"};
  std::vector<std::string> found;
  for (std::sregex_iterator it{text.begin(), text.end(), literals}, end; it != end; ++it) {
    const auto joined = std::regex_replace(it->str(), joints, "");
    if (joined.size() < 2)
      continue; // an empty text
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
  const auto macros = macros_in(sources);
  int checked = 0;
  for (const auto* name :
       {"claims",   "clock",    "commit",    "completion",    "destinations",     "directory_rows",
        "flush",    "leases",   "letters",   "loading",       "open_chunk",       "parking",
        "planning", "replay",   "retention", "scope",         "retry_packs",      "sent_marks",
        "states",   "sweep",    "tokens",    "activities",    "activity_targets", "activity_tokens",
        "turns",    "receipts", "backlog",   "letter_office", "bulk_cancel"}) {
    for (const auto& sql : statements_in(sources / (std::string{name} + ".cpp"), macros)) {
      ++checked;
      for (const auto& step : plan_of(sql)) {
        // A handful: topics being removed, pauses, lanes, and the leases that there are.
        if (step.find("deleted_topics") != std::string::npos || step == "SCAN pauses" ||
            step == "SCAN lanes" || step.find("_leased") != std::string::npos ||
            step == "SCAN CONSTANT ROW")
          continue;
        EXPECT_EQ(step.rfind("SCAN", 0), std::string::npos) << step << "\n  " << sql;
        EXPECT_EQ(step.find("USE TEMP B-TREE FOR ORDER"), std::string::npos) << sql;
      }
    }
  }
  EXPECT_GT(checked, 100);
}

// A whole burst may be due at one moment: what lies before the place where the last claim stopped
// is not passed by.
TEST_F(query_plans, due_retries_are_sought_by_the_whole_cursor) {
  const auto statements = statements_in(SOURCE_DIR "/adapters/store/sqlite/due_retries.cpp", {});
  ASSERT_THAT(statements, testing::SizeIs(3));
  EXPECT_THAT(plan_of(statements[2]),
              testing::ElementsAre("SEARCH retries USING INDEX retries_by_turn "
                                   "(lane=? AND app=? AND pool=? AND job>?)"));
  const std::string by_index =
    "SEARCH retries USING INDEX retries_due (lane=? AND app=? AND pool=? ";
  EXPECT_THAT(plan_of(statements[0]), testing::ElementsAre(by_index + "AND run_at=? AND rowid>?)"));
  EXPECT_THAT(plan_of(statements[1]),
              testing::ElementsAre(by_index + "AND run_at>? AND run_at<?)"));
}

// The numbers of jobs that a list may show come from an index, in its order, most from it alone.
TEST_F(query_plans, lists_of_jobs_go_by_an_index) {
  const auto statements = statements_in(SOURCE_DIR "/adapters/store/sqlite/job_candidates.cpp", {});
  ASSERT_THAT(statements, testing::SizeIs(7));
  const std::string search = "SEARCH jobs USING ";
  const auto by = [&](const std::string& index) {
    return testing::ElementsAre(search + "COVERING INDEX " + index);
  };
  EXPECT_THAT(plan_of(statements[0]),
              by("jobs_by_scope (<expr>=? AND scope_kind=? AND scope_id=? AND rowid<?)"));
  EXPECT_EQ(statements[1], "SELECT id FROM lanes");
  EXPECT_THAT(plan_of(statements[2]),
              testing::ElementsAre(search + "INDEX jobs_open (lane=? AND rowid>? AND rowid<?)"));
  EXPECT_THAT(
    plan_of(statements[3]),
    testing::ElementsAre(
      search + "INDEX jobs_ended (lane=? AND <expr>=? AND status=? AND rowid>? AND rowid<?)"));
  EXPECT_THAT(plan_of(statements[4]),
              testing::ElementsAre("SEARCH job_references USING PRIMARY KEY "
                                   "(app=? AND reference=? AND job>? AND job<?)"));
  EXPECT_THAT(plan_of(statements[5]),
              testing::ElementsAre(search + "INTEGER PRIMARY KEY (rowid>? AND rowid<?)"));
  EXPECT_THAT(plan_of(statements[6]),
              testing::Contains(search + "COVERING INDEX sqlite_autoindex_jobs_1 (id<?)"));
  for (const auto& sql : statements)
    EXPECT_THAT(plan_of(sql), testing::Not(testing::Contains(testing::HasSubstr("TEMP B-TREE"))));
}

// What is asked for often costs the same however large the job, the topic or the store.
TEST_F(query_plans, what_is_asked_for_often_is_not_counted_row_by_row) {
  const std::filesystem::path sources{SOURCE_DIR "/adapters/store/sqlite"};
  const auto macros = macros_in(sources);
  // A page of dead letters skips by OFFSET, at most as many as a page may look at.
  static const std::regex counting{
    "^(?=.*(COUNT\\(|GROUP BY)).*(FROM|JOIN) (receipts|topic_tokens|dead_letters|subscriptions"
    "|tokens)\\b.*|^.*(FROM|JOIN) (receipts|topic_tokens|subscriptions|tokens)\\b.*OFFSET.*"};
  int checked = 0;
  for (const auto& entry : std::filesystem::directory_iterator{sources})
    if (entry.path().extension() == ".cpp")
      for (const auto& sql : statements_in(entry.path(), macros)) {
        ++checked;
        EXPECT_FALSE(std::regex_search(sql, counting)) << sql;
      }
  EXPECT_GT(checked, 200);
}

} // namespace
} // namespace signalbox::sqlite
