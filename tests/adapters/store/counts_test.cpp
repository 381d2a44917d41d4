// Numbers that are counted as rows come and go, and not when somebody asks.

#include "adapters/store/sqlite/connection.hpp"
#include "adapters/store/sqlite/directory_rows.hpp"
#include "adapters/store/sqlite/migrations.hpp"
#include "adapters/store/sqlite/receipts.hpp"
#include "tests/adapters/store/temporary_folder.hpp"
#include "tests/support/log_capture.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace signalbox::sqlite {
namespace {

class counts : public testing::Test {
protected:
  counts() { migrate(database); }

  void expect_true_counts() {
    EXPECT_EQ(
      database.ask("SELECT COUNT(*) FROM (SELECT job, status, ifnull(reason, '') AS reason, "
                   "COUNT(*) AS count FROM receipts GROUP BY 1, 2, 3 "
                   "EXCEPT SELECT job, status, reason, count FROM receipt_counts)"),
      "0");
    EXPECT_EQ(database.ask("SELECT (SELECT SUM(count) FROM receipt_counts) - "
                           "(SELECT COUNT(*) FROM receipts)"),
              "0");
  }

  temporary_folder folder;
  connection database{folder.file("test.db"), {}};
};

TEST_F(counts, receipts_by_reason_follow_what_is_written_and_written_over) {
  const timestamp now{};
  receipt_writer receipts{database};
  receipts.write(1, 1, outcome_status::rejected, "BadDeviceToken", now, 17);
  receipts.write(1, 2, outcome_status::rejected, "BadDeviceToken", now, 17);
  receipts.write(1, 3, outcome_status::accepted, {}, now, 17);
  receipts.write(1, 2, outcome_status::unknown, "no_answer", now, 17);
  receipts.write(2, 2, outcome_status::skipped, "deleted", now, 17);
  receipts.write(1, 3, outcome_status::accepted, {}, now, 17);
  receipts.finish();
  expect_true_counts();
  receipts.write(1, 4, outcome_status::rejected, "BadDeviceToken", now, 17);
  receipts.write(1, 1, outcome_status::accepted, {}, now, 17);
  receipts.finish();
  expect_true_counts();
}

TEST_F(counts, receipts_that_are_rolled_back_are_not_counted_later) {
  receipt_writer receipts{database};
  database.run("BEGIN");
  receipts.write(1, 1, outcome_status::rejected, "BadDeviceToken", {}, 17);
  database.run("ROLLBACK");
  receipts.clear();
  receipts.write(1, 2, outcome_status::rejected, "BadDeviceToken", {}, 17);
  receipts.finish();
  expect_true_counts();
}

TEST_F(counts, members_of_a_topic_follow_joins_and_leaves) {
  database.run("INSERT INTO topics(id, app, name, title, created_at) VALUES(1, 1, 'news', '', 0); "
               "INSERT OR IGNORE INTO topic_tokens VALUES(1, 17, 1), (1, 17, 2), (1, 33, 3); "
               "INSERT OR IGNORE INTO topic_tokens VALUES(1, 17, 2); "
               "DELETE FROM topic_tokens WHERE token = 3; "
               "DELETE FROM topic_tokens WHERE token = 9");
  EXPECT_EQ(count_topic(database, default_app, "news").value, 2);
}

TEST_F(counts, letters_follow_too) {
  database.run("INSERT INTO dead_letters(job, token, app, lane, pool, attempts, reason, "
               "dead_lettered_at) VALUES(1, 1, 1, 1, 17, 1, 'x', 0), (1, 2, 1, 1, 17, 1, 'x', 0); "
               "DELETE FROM dead_letters WHERE token = 1");
  EXPECT_EQ(database.ask("SELECT value FROM counters WHERE name = 'dead_letters'"), "1");
}

TEST(counts_of_an_older_database, are_made_when_it_is_migrated) {
  const temporary_folder folder;
  connection database{folder.file("test.db"), {}};
  migrate_to(database, 3);
  database.run(
    "INSERT INTO topics(id, app, name, title, created_at) VALUES(1, 1, 'news', '', 0); "
    "INSERT INTO topic_tokens VALUES(1, 17, 1), (1, 17, 2); "
    "INSERT INTO receipts VALUES(1, 1, 2, 'a', 0), (1, 2, 2, 'a', 0), (1, 3, 2, NULL, 0); "
    "INSERT INTO dead_letters(job, token, app, lane, pool, attempts, reason, dead_lettered_at) "
    "VALUES(1, 1, 1, 1, 17, 1, 'x', 0)");
  const tests::log_capture log;
  migrate(database);
  EXPECT_THAT(log.text(), testing::HasSubstr("event=store_migration step=4 of="));
  EXPECT_EQ(count_topic(database, default_app, "news").value, 2);
  EXPECT_EQ(database.ask("SELECT group_concat(reason || count) FROM receipt_counts"), "1,a2");
  EXPECT_EQ(database.ask("SELECT value FROM counters WHERE name = 'dead_letters'"), "1");
}

} // namespace
} // namespace signalbox::sqlite
