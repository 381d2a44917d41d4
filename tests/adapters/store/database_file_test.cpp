// Whose database a file is, and that another's is left as it was.

#include "adapters/store/sqlite/connection.hpp"
#include "adapters/store/sqlite/database_file.hpp"
#include "adapters/store/sqlite/migrations.hpp"
#include "tests/adapters/store/store_fixture.hpp"

#include <gmock/gmock.h>
#include <sqlite3.h>

#include <filesystem>
#include <fstream>
#include <map>
#include <sstream>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

namespace signalbox::sqlite {
namespace {

using testing::HasSubstr;

namespace fs = std::filesystem;

class database_file : public store_fixture {
protected:
  std::string path() const { return options().path; }

  /// The folder's files with their bytes.
  std::map<std::string, std::string> files() const {
    std::map<std::string, std::string> all;
    for (const auto& entry : fs::directory_iterator{fs::path{path()}.parent_path()}) {
      std::ifstream in{entry.path(), std::ios::binary};
      std::stringstream bytes;
      bytes << in.rdbuf();
      all[entry.path().filename()] = bytes.str();
    }
    return all;
  }

  void make(const std::string& script, const std::string& ending = {}) const {
    sqlite3* handle = nullptr;
    ASSERT_EQ(sqlite3_open(path().c_str(), &handle), SQLITE_OK);
    EXPECT_EQ(sqlite3_exec(handle, script.c_str(), nullptr, nullptr, nullptr), SQLITE_OK);
    if (!ending.empty())
      sqlite3_exec(handle, ending.c_str(), nullptr, nullptr, nullptr);
    sqlite3_close(handle);
  }

  void expect_refused_untouched(const std::string& why) {
    const auto before = files();
    const auto refused = sqlite_store::open(options());
    EXPECT_EQ(refused.code, errc::conflict);
    EXPECT_THAT(refused.message, HasSubstr(path()));
    EXPECT_THAT(refused.message, HasSubstr(why));
    EXPECT_EQ(files(), before);
  }

  mode_t mode_of(const std::string& suffix) const {
    struct stat status {};
    EXPECT_EQ(::stat((path() + suffix).c_str(), &status), 0) << suffix;
    return status.st_mode & 07777;
  }
};

TEST_F(database_file, another_programs_database_is_refused_untouched) {
  make("CREATE TABLE notes(a); INSERT INTO notes VALUES(1)");
  expect_refused_untouched("another program");
}

TEST_F(database_file, so_is_one_with_an_id_of_its_own) {
  make("PRAGMA application_id = 7; CREATE TABLE boots(a); CREATE TABLE counters(a); "
       "CREATE TABLE chunks(a); CREATE TABLE topic_tokens(a); CREATE TABLE job_scopes(a)");
  expect_refused_untouched("another program");
}

TEST_F(database_file, and_one_whose_program_runs_or_crashed_with_a_log) {
  const auto child = ::fork();
  if (child == 0) { // ends without closing
    sqlite3* handle = nullptr;
    sqlite3_open(path().c_str(), &handle);
    sqlite3_exec(handle, "PRAGMA journal_mode = WAL; CREATE TABLE notes(a)", nullptr, nullptr,
                 nullptr);
    ::_exit(0);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  ASSERT_GT(fs::file_size(path() + "-wal"), 0u);
  expect_refused_untouched("another program");
}

TEST_F(database_file, what_is_no_sqlite_at_all_is_refused_untouched) {
  std::ofstream{path()} << "a letter, or a picture, or an archive";
  expect_refused_untouched("not an SQLite database");
  std::ofstream{path(), std::ios::binary} << std::string(8'192, '\0');
  expect_refused_untouched("not an SQLite database");
}

TEST_F(database_file, and_so_is_a_newer_one) {
  open();
  make("PRAGMA user_version = 999; PRAGMA journal_mode = DELETE");
  fs::remove(path() + ".lock");
  expect_refused_untouched("999");
}

TEST_F(database_file, a_new_database_says_whose_it_is) {
  open();
  sqlite::connection database{path(), {}};
  EXPECT_EQ(database.ask("PRAGMA application_id"), std::to_string(application_id));
}

TEST_F(database_file, one_of_ours_without_an_id_gets_it) {
  open();
  make("PRAGMA application_id = 0");
  EXPECT_TRUE(open());
  sqlite::connection database{path(), {}};
  EXPECT_EQ(database.ask("PRAGMA application_id"), std::to_string(application_id));
}

TEST_F(database_file, also_where_all_of_it_is_still_in_the_log) {
  const auto child = ::fork();
  if (child == 0) {
    sqlite::connection database{path(), {}};
    sqlite::migrate(database);
    database.run("PRAGMA application_id = 0");
    ::_exit(0);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  ASSERT_GT(fs::file_size(path() + "-wal"), 0u);
  EXPECT_TRUE(open());
}

TEST_F(database_file, an_empty_file_is_a_new_database) {
  std::ofstream{path()}.flush();
  EXPECT_TRUE(open());
}

TEST_F(database_file, a_name_with_letters_of_uris_is_a_name) {
  auto named = options();
  named.path = folder.file("a%41 b?mode=ro#c.db");
  EXPECT_TRUE(sqlite_store::open(named).ok());
  make("CREATE TABLE notes(a)");
  fs::rename(path(), folder.file("x%41?y#z.db"));
  named.path = folder.file("x%41?y#z.db");
  EXPECT_EQ(sqlite_store::open(named).code, errc::conflict);
}

TEST_F(database_file, the_store_is_its_owners_alone) {
  const auto store = open();
  for (const auto* suffix : {"", "-wal", "-shm", ".lock"})
    EXPECT_EQ(mode_of(suffix), 0600u) << suffix;
}

TEST_F(database_file, an_older_one_that_others_can_read_is_made_private) {
  open();
  for (const auto* suffix : {"", ".lock"})
    ::chmod((path() + suffix).c_str(), 0664);
  const auto store = open();
  for (const auto* suffix : {"", "-wal", "-shm", ".lock"})
    EXPECT_EQ(mode_of(suffix), 0600u) << suffix;
}

} // namespace
} // namespace signalbox::sqlite
