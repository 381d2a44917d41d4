#include "adapters/store/sqlite/connection.hpp"
#include "tests/adapters/store/temporary_folder.hpp"

#include <gtest/gtest.h>
#include <sqlite3.h>

namespace signalbox::sqlite {
namespace {

class connection_test : public testing::Test {
protected:
  temporary_folder folder;
  connection database{folder.file("test.db"), {}};
};

TEST(connection, every_connection_has_its_pragmas) {
  const temporary_folder folder;
  connection_settings settings;
  settings.busy_timeout = std::chrono::milliseconds{1'234};
  settings.cache_bytes = 3 << 20;
  for (const bool read_only : {false, true}) {
    settings.read_only = read_only;
    connection database{folder.file("test.db"), settings};
    EXPECT_EQ(database.ask("PRAGMA journal_mode"), "wal");
    EXPECT_EQ(database.ask("PRAGMA synchronous"), "2") << "FULL";
    EXPECT_EQ(database.ask("PRAGMA foreign_keys"), "1");
    EXPECT_EQ(database.ask("PRAGMA busy_timeout"), "1234");
    EXPECT_EQ(database.ask("PRAGMA cache_size"), "-3072");
    EXPECT_EQ(database.ask("PRAGMA temp_store"), "2") << "MEMORY";
    EXPECT_EQ(database.ask("PRAGMA mmap_size"), "0");
    EXPECT_EQ(database.ask("PRAGMA locking_mode"), "normal");
    EXPECT_EQ(database.ask("PRAGMA query_only"), read_only ? "1" : "0");
  }
}

TEST_F(connection_test, a_reader_cannot_write) {
  connection_settings settings;
  settings.read_only = true;
  database.run("CREATE TABLE t(a)");
  connection reader{folder.file("test.db"), settings};
  EXPECT_THROW(reader.execute("INSERT INTO t VALUES(1)"), failure);
}

TEST_F(connection_test, values_come_back_as_they_were_bound) {
  database.run("CREATE TABLE t(a, b, c, d, e, f)");
  const timestamp time{std::chrono::milliseconds{1'760'000'000'123}};
  const auto id = make_uuid_v7(time);
  EXPECT_EQ(database.execute("INSERT INTO t VALUES(?, ?, ?, ?, ?, ?)", -7, std::string{"text"},
                             blob{{"\0b", 2}}, time, id, std::nullopt),
            1);
  auto found = database.query("SELECT a, b, c, d, e, f FROM t");
  ASSERT_TRUE(found.next());
  EXPECT_EQ(found.integer(0), -7);
  EXPECT_EQ(found.text(1), "text");
  EXPECT_EQ(found.bytes(2), std::string_view("\0b", 2));
  EXPECT_EQ(found.time(3), time);
  EXPECT_EQ(found.id(4), id);
  EXPECT_TRUE(found.is_null(5));
  EXPECT_EQ(found.optional_time(5), std::nullopt);
  EXPECT_EQ(found.optional_integer(0), -7);
  EXPECT_FALSE(found.next());
}

TEST_F(connection_test, an_empty_text_is_not_null) {
  auto found = database.query("SELECT ? IS NULL, ? IS NULL", std::string_view{}, blob{});
  ASSERT_TRUE(found.next());
  EXPECT_EQ(found.integer(0), 0);
  EXPECT_EQ(found.integer(1), 0);
}

TEST_F(connection_test, a_statement_is_usable_again_after_it_failed) {
  database.run("CREATE TABLE t(a UNIQUE)");
  const char* insert = "INSERT INTO t VALUES(?)";
  database.execute(insert, 1);
  try {
    database.execute(insert, 1);
    FAIL() << "the same value twice";
  } catch (const failure& error) {
    EXPECT_EQ(error.code(), SQLITE_CONSTRAINT);
    EXPECT_NE(std::string{error.what()}.find("UNIQUE"), std::string::npos);
  }
  EXPECT_EQ(database.execute(insert, 2), 1);
}

TEST_F(connection_test, a_mistake_in_sql_names_the_statement) {
  try {
    database.execute("SELEC 1");
    FAIL();
  } catch (const failure& error) {
    EXPECT_EQ(to_errc(error.code()), errc::internal);
    EXPECT_NE(std::string{error.what()}.find("SELEC 1"), std::string::npos);
  }
}

TEST(connection, a_path_that_cannot_be_opened_is_a_failure) {
  EXPECT_THROW((connection{"/nowhere/at/all.db", {}}), failure);
}

TEST(to_errc, says_what_the_caller_can_do) {
  EXPECT_EQ(to_errc(SQLITE_FULL), errc::disk_full);
  EXPECT_EQ(to_errc(SQLITE_BUSY), errc::unavailable);
  EXPECT_EQ(to_errc(SQLITE_LOCKED), errc::unavailable);
  EXPECT_EQ(to_errc(SQLITE_IOERR), errc::unavailable);
  EXPECT_EQ(to_errc(SQLITE_CORRUPT), errc::unavailable);
  EXPECT_EQ(to_errc(SQLITE_MISUSE), errc::internal);
}

} // namespace
} // namespace signalbox::sqlite
