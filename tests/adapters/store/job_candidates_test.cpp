// References and ended jobs in a database of before they had their own table and index.

#include "adapters/store/sqlite/connection.hpp"
#include "adapters/store/sqlite/job_candidates.hpp"
#include "adapters/store/sqlite/migrations.hpp"
#include "tests/adapters/store/temporary_folder.hpp"

#include <gmock/gmock.h>

namespace signalbox::sqlite {
namespace {

TEST(jobs_of_an_older_database, are_found_by_reference_and_by_how_they_ended) {
  const temporary_folder folder;
  connection database{folder.file("test.db"), {}};
  migrate_to(database, 6);
  database.run(
    "INSERT INTO lanes(id, name) VALUES(1, 'push'), (2, 'bulk'); "
    "INSERT INTO jobs(n, id, app, lane, status, plan_done, planned, next_seq, "
    "completed_at, scope_kind, receipts, on_unknown, created_at, payload, reference) VALUES "
    "(1, x'01', 1, 1, 6, 1, 0, 0, 0, 1, 1, 1, 0, '{}', 'order-7'), "
    "(2, x'02', 1, 2, 6, 1, 0, 0, NULL, 1, 1, 1, 0, '{}', NULL), "
    "(3, x'03', 1, 1, 5, 1, 0, 0, 0, 1, 1, 1, 0, '{}', 'order-7')");
  migrate(database);
  wanted_jobs wanted;
  wanted.status = job_status::failed;
  EXPECT_THAT(next_candidates(database, wanted, 100, 10).numbers, testing::ElementsAre(2, 1));
  wanted.reference = "order-7";
  EXPECT_THAT(next_candidates(database, wanted, 100, 10).numbers, testing::ElementsAre(3, 1));
}

} // namespace
} // namespace signalbox::sqlite
