// How long the write-ahead log may become.

#include "adapters/store/sqlite/checkpointer.hpp"
#include "adapters/store/sqlite/readers.hpp"
#include "tests/adapters/store/temporary_folder.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <filesystem>
#include <thread>

namespace signalbox::sqlite {
namespace {

using namespace std::chrono_literals;

constexpr int page = 4'096;

class checkpointer_test : public testing::Test {
protected:
  checkpointer_test() { database.run("CREATE TABLE t(n INTEGER PRIMARY KEY, a BLOB)"); }

  // Some 20 pages of the log.
  void write() {
    database.execute("INSERT INTO t(a) VALUES(zeroblob(80000))");
    most = std::max(most, log_bytes());
  }

  std::uintmax_t log_bytes() const { return std::filesystem::file_size(path + "-wal"); }

  temporary_folder folder;
  std::string path = folder.file("test.db");
  connection database{path, {}};
  std::uintmax_t most = 0;
};

// Each takes up its place when another has been interrupted, so that there is always a snapshot.
void read_for_ever(readers& pool, std::atomic<int>& begun) {
  pool.submit(read_class::queries,
              {[&begun](connection& database) {
                 ++begun;
                 try {
                   const snapshot one_state{database};
                   database.value("WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) "
                                  "SELECT i FROM n, t WHERE i < 0");
                   return true;
                 } catch (const failure& error) {
                   return !error.is_interruption();
                 }
               },
               [](errc, const std::string&) {}});
}

checkpointer::settings small_log(readers& pool) {
  checkpointer::settings limits;
  limits.begin_pages = 100;
  limits.finish_pages = 400;
  limits.cut_pages = 800;
  limits.last_pages = 1'600;
  limits.again_pages = 100;
  limits.without_readers = [&pool](bool lanes_too, const std::function<void()>& work) {
    return pool.run_alone(10s, lanes_too, work);
  };
  return limits;
}

TEST_F(checkpointer_test, a_log_that_somebody_always_reads_is_cut_all_the_same) {
  readers pool{path, {}, {.threads = 4, .query_limit = 1h}};
  checkpointer log{database, path, {}, small_log(pool)};
  write();
  std::atomic<int> begun{0};
  read_for_ever(pool, begun);
  read_for_ever(pool, begun);
  while (begun < 2)
    std::this_thread::yield();
  for (int i = 0; i < 1'000; ++i) { // ten times the bound
    write();
    log.finish_if_due();
  }
  EXPECT_LT(most, 2'000u * page);
  EXPECT_GT(begun, 2) << "they were interrupted, and run again";
  pool.stop();
}

} // namespace
} // namespace signalbox::sqlite
