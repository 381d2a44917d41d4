#include "adapters/store/sqlite/savepoint.hpp"
#include "adapters/store/sqlite/statement_limit.hpp"
#include "tests/adapters/store/temporary_folder.hpp"

#include <gtest/gtest.h>

namespace signalbox::sqlite {
namespace {

using namespace std::chrono_literals;

// Runs until it is ended.
constexpr auto* endless = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) "
                          "INSERT INTO t SELECT i FROM n WHERE i < 0";

class statement_limit_test : public testing::Test {
protected:
  statement_limit_test() { database.run("CREATE TABLE t(a UNIQUE)"); }

  temporary_folder folder;
  connection database{folder.file("test.db"), {}};
};

TEST_F(statement_limit_test, what_runs_too_long_is_ended_and_rolled_back) {
  database.execute("BEGIN IMMEDIATE");
  database.execute("INSERT INTO t VALUES(1)");
  try {
    const statement_limit limit{database, 20ms};
    database.execute(endless);
    FAIL();
  } catch (const failure& error) {
    EXPECT_EQ(to_errc(error.code()), errc::busy);
    EXPECT_FALSE(error.is_about_rows());
  }
  EXPECT_FALSE(database.in_transaction());
  EXPECT_EQ(database.value("SELECT COUNT(*) FROM t"), 0);
  EXPECT_EQ(database.execute("INSERT INTO t VALUES(2)"), 1) << "the next statement is free of it";
}

TEST_F(statement_limit_test, a_part_that_fails_for_its_rows_is_undone_alone) {
  database.execute("BEGIN IMMEDIATE");
  EXPECT_FALSE(try_part(database, [&] { database.execute("INSERT INTO t VALUES(1)"); }));
  const auto error = try_part(database, [&] {
    database.execute("INSERT INTO t VALUES(2)");
    database.execute("INSERT INTO t VALUES(1)");
  });
  ASSERT_TRUE(error);
  EXPECT_NE(error->find("UNIQUE"), std::string::npos);
  database.execute("COMMIT");
  EXPECT_EQ(database.value("SELECT SUM(a) FROM t"), 1);
}

TEST_F(statement_limit_test, a_part_does_not_swallow_what_ends_the_transaction) {
  database.execute("BEGIN IMMEDIATE");
  const statement_limit limit{database, 20ms};
  EXPECT_THROW(try_part(database, [&] { database.execute(endless); }), failure);
}

} // namespace
} // namespace signalbox::sqlite
