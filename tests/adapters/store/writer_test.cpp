#include "adapters/store/sqlite/writer.hpp"
#include "tests/adapters/store/temporary_folder.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sqlite3.h>

#include <atomic>
#include <future>
#include <thread>

namespace signalbox::sqlite {
namespace {

using testing::ElementsAre;

using namespace std::chrono_literals;

class writer_test : public testing::Test {
protected:
  explicit writer_test(std::chrono::milliseconds import_slice = 1ms) : import_slice{import_slice} {
    database.run("CREATE TABLE log(who, n UNIQUE)");
  }
  ~writer_test() override { queue.stop(); }

  // Holds the writer until released, so that a test can fill its queues.
  struct gate {
    std::promise<void> promise;
    void open() { promise.set_value(); }
  };

  std::shared_ptr<gate> block() {
    auto held = std::make_shared<gate>();
    auto entered = std::make_shared<std::promise<void>>();
    queue.submit(write_class::jobs, {durability::normal,
                                     [held, entered](connection&) {
                                       entered->set_value();
                                       held->promise.get_future().wait();
                                     },
                                     [](const write_status&) {}});
    entered->get_future().wait();
    return held;
  }

  void submit(write_class where, const std::string& who) {
    ++under_way;
    queue.submit(where, {durability::full, [this, who](connection&) { order.push_back(who); },
                         [this](const write_status&) { --under_way; }});
  }

  // A long import: `steps` slices that each use theirs up.
  void submit_import(const std::string& who, int steps) {
    auto left = std::make_shared<int>(steps);
    ++under_way;
    queue.submit({[this, who, left](connection&, const time_slice& slice) {
                    order.push_back(who);
                    while (!slice.is_over())
                      std::this_thread::yield();
                    return --*left == 0;
                  },
                  [this](const write_status&) { --under_way; }});
  }

  // Until all of them are done.
  void wait() {
    while (under_way > 0)
      std::this_thread::yield();
  }

  void finish() {
    std::promise<void> done;
    queue.submit({[](connection&, const time_slice&) { return true; },
                  [&](const write_status&) { done.set_value(); }});
    done.get_future().wait();
  }

  write_status write(std::function<void(connection&)> body, durability sync = durability::full) {
    std::promise<write_status> done;
    queue.submit(write_class::lanes, {sync, std::move(body),
                                      [&](const write_status& status) { done.set_value(status); }});
    return done.get_future().get();
  }

  std::string count() {
    connection reader{folder.file("test.db"), {}};
    return reader.ask("SELECT COUNT(*) FROM log");
  }

  temporary_folder folder;
  connection database{folder.file("test.db"), {}};
  std::atomic<int> fault{SQLITE_OK};
  std::atomic<int> rollbacks{0};
  std::atomic<int> under_way{0};
  std::vector<std::string> order;
  const std::chrono::milliseconds import_slice;
  writer queue{database,
               {.import_slice = import_slice,
                .fault = [this] { return fault.load(); },
                .rolled_back = [this] { ++rollbacks; }}};
};

TEST_F(writer_test, an_answer_that_cannot_be_taken_costs_nobody_else_theirs) {
  const auto held = block();
  queue.submit(write_class::jobs, {durability::normal, [](connection&) {},
                                   [](const write_status&) { throw std::runtime_error{"full"}; }});
  submit(write_class::lanes, "beside it");
  submit(write_class::jobs, "after it");
  held->open();
  wait();
  EXPECT_THAT(order, testing::UnorderedElementsAre("beside it", "after it"));
}

TEST_F(writer_test, jobs_and_lanes_share_a_transaction_and_imports_have_their_turn) {
  auto held = block();
  for (int i = 0; i < 3; ++i)
    submit(write_class::lanes, "lane");
  for (int i = 0; i < 3; ++i)
    submit(write_class::jobs, "job");
  submit_import("import", 3);
  held->open();
  wait();
  EXPECT_THAT(
    order, ElementsAre("import", "job", "lane", "import", "job", "lane", "import", "job", "lane"));
}

TEST_F(writer_test, a_failure_in_a_shared_transaction_undoes_only_its_own) {
  const auto insert = [](int n) {
    return [n](connection& db) { db.execute("INSERT INTO log VALUES('a', ?)", n); };
  };
  const auto fail = [](int n) {
    return [n](connection& db) {
      db.execute("INSERT INTO log VALUES('a', ?)", n);
      throw std::runtime_error{"a bug"};
    };
  };
  std::vector<errc> codes;
  const auto note = [&](const write_status& status) { codes.push_back(status.code); };
  auto held = block();
  queue.submit(write_class::jobs, {durability::full, insert(1), note});
  queue.submit(write_class::lanes, {durability::normal, fail(2), note});
  queue.submit(write_class::jobs, {durability::normal, fail(3), note});
  queue.submit(write_class::lanes, {durability::full, insert(4), note});
  held->open();
  finish();
  finish();
  finish();
  EXPECT_THAT(codes, ElementsAre(errc::ok, errc::internal, errc::internal, errc::ok));
  EXPECT_EQ(rollbacks, 2);
  connection reader{folder.file("test.db"), {}};
  EXPECT_EQ(reader.ask("SELECT GROUP_CONCAT(n) FROM log"), "1,4");
}

TEST_F(writer_test, a_shared_transaction_that_cannot_be_committed_fails_both) {
  std::vector<errc> codes;
  const auto note = [&](const write_status& status) { codes.push_back(status.code); };
  auto held = block();
  for (const auto where : {write_class::jobs, write_class::lanes})
    queue.submit(where, {durability::full, [](connection&) {}, note});
  fault = SQLITE_FULL;
  held->open();
  while (rollbacks < 2) // of what held the writer, and of the two
    std::this_thread::yield();
  fault = SQLITE_OK;
  finish();
  EXPECT_THAT(codes, ElementsAre(errc::disk_full, errc::disk_full));
}

TEST_F(writer_test, imports_take_turns_among_themselves) {
  auto held = block();
  submit_import("a", 3);
  submit_import("b", 1);
  held->open();
  wait();
  EXPECT_THAT(order, ElementsAre("a", "b", "a", "a"));
}

TEST_F(writer_test, what_is_done_is_committed) {
  EXPECT_TRUE(write([](connection& db) { db.execute("INSERT INTO log VALUES('a', 1)"); }).ok());
  EXPECT_EQ(count(), "1");
}

TEST_F(writer_test, a_failure_rolls_all_back_and_the_next_goes_on) {
  const auto failed = write([](connection& db) {
    db.execute("INSERT INTO log VALUES('a', 1)");
    db.execute("INSERT INTO nothing VALUES(1)");
  });
  EXPECT_EQ(failed.code, errc::internal);
  EXPECT_NE(failed.message, "");
  EXPECT_EQ(rollbacks, 1);
  EXPECT_EQ(count(), "0");
  EXPECT_TRUE(write([](connection& db) { db.execute("INSERT INTO log VALUES('a', 1)"); }).ok());
}

TEST_F(writer_test, what_a_body_throws_ends_that_body_alone) {
  EXPECT_EQ(write([](connection&) { throw std::runtime_error{"a bug"}; }).code, errc::internal);
  EXPECT_TRUE(write([](connection&) {}).ok());
}

TEST_F(writer_test, faults_at_the_commit_are_told_as_what_they_are) {
  const auto insert = [](connection& db) { db.execute("INSERT INTO log VALUES('a', 1)"); };
  fault = SQLITE_FULL;
  EXPECT_EQ(write(insert).code, errc::disk_full);
  fault = SQLITE_BUSY;
  EXPECT_EQ(write(insert).code, errc::unavailable);
  fault = SQLITE_IOERR;
  EXPECT_EQ(write(insert).code, errc::unavailable);
  fault = SQLITE_OK;
  EXPECT_EQ(count(), "0");
  EXPECT_TRUE(write(insert).ok());
  EXPECT_EQ(count(), "1");
}

TEST_F(writer_test, durability_is_the_operations_own) {
  std::string seen;
  const auto look = [&](connection& db) { seen = db.ask("PRAGMA synchronous"); };
  write(look, durability::normal);
  EXPECT_EQ(seen, "1");
  write(look, durability::full);
  EXPECT_EQ(seen, "2");
}

TEST_F(writer_test, an_import_that_breaks_a_constraint_hurts_no_other) {
  auto held = block();
  std::vector<errc> codes;
  std::atomic<int> done{0};
  for (const int n : {1, 1, 2})
    queue.submit({[n](connection& db, const time_slice&) {
                    db.execute("INSERT INTO log VALUES('i', ?)", n);
                    return true;
                  },
                  [&](const write_status& status) {
                    codes.push_back(status.code);
                    ++done;
                  }});
  held->open();
  finish();
  EXPECT_EQ(done, 3);
  EXPECT_THAT(codes, ElementsAre(errc::ok, errc::invalid, errc::ok));
  EXPECT_EQ(count(), "2");
}

/// Imports that wait together share a slice, however slow the machine.
class writer_with_long_slices : public writer_test {
protected:
  writer_with_long_slices() : writer_test{1h} {}
};

TEST_F(writer_with_long_slices, an_import_that_meets_a_failing_disk_fails_its_whole_slice) {
  auto held = block();
  std::vector<errc> codes;
  const auto note = [&](const write_status& status) { codes.push_back(status.code); };
  queue.submit({[](connection& db, const time_slice&) {
                  db.execute("INSERT INTO log VALUES('i', 1)");
                  return true;
                },
                note});
  queue.submit({[](connection&, const time_slice&) -> bool {
                  throw failure{SQLITE_IOERR, "disk I/O error"};
                },
                note});
  held->open();
  finish();
  EXPECT_THAT(codes, ElementsAre(errc::unavailable, errc::unavailable));
  EXPECT_EQ(count(), "0");
}

TEST_F(writer_with_long_slices, a_failed_slice_fails_all_imports_in_it) {
  auto held = block();
  std::vector<errc> codes;
  for (const int n : {1, 2})
    queue.submit({[n](connection& db, const time_slice&) {
                    db.execute("INSERT INTO log VALUES('i', ?)", n);
                    return true;
                  },
                  [&](const write_status& status) { codes.push_back(status.code); }});
  fault = SQLITE_FULL;
  held->open();
  finish();
  fault = SQLITE_OK;
  finish();
  EXPECT_THAT(codes, ElementsAre(errc::disk_full, errc::disk_full));
  EXPECT_EQ(count(), "0");
}

TEST_F(writer_test, stopping_refuses_what_is_queued_and_what_comes) {
  auto held = block();
  std::vector<errc> codes;
  const auto note = [&](const write_status& status) { codes.push_back(status.code); };
  queue.submit(write_class::jobs, {durability::full, [](connection&) {}, note});
  queue.submit({[](connection&, const time_slice&) { return true; }, note});
  auto stopped = std::async(std::launch::async, [&] { queue.stop(); });
  while (true) { // until the stop is seen: then submissions are refused on this thread
    auto refused = std::make_shared<std::atomic<bool>>(false);
    queue.submit(write_class::lanes, {durability::full, [](connection&) {},
                                      [refused](const write_status&) { *refused = true; }});
    if (*refused)
      break;
    std::this_thread::yield();
  }
  held->open();
  stopped.wait();
  queue.submit(write_class::lanes, {durability::full, [](connection&) {}, note});
  EXPECT_THAT(codes, ElementsAre(errc::stopping, errc::stopping, errc::stopping));
}

// It says `invalid`: so nothing of the step may stay.
TEST_F(writer_with_long_slices, an_import_that_fails_leaves_nothing_of_its_step) {
  auto held = block();
  std::vector<errc> codes;
  const auto note = [&](const write_status& status) { codes.push_back(status.code); };
  const auto submit = [&](int n, std::function<void(connection&)> then) {
    queue.submit({[n, then = std::move(then)](connection& db, const time_slice&) {
                    db.execute("INSERT INTO log VALUES('i', ?)", n);
                    then(db);
                    return true;
                  },
                  note});
  };
  submit(1, [](connection&) {});
  submit(2, [](connection& db) { db.execute("INSERT INTO log VALUES('i', 1)"); });
  submit(3, [](connection&) { throw std::runtime_error{"a bug"}; });
  submit(4, [](connection&) {});
  held->open();
  finish();
  EXPECT_THAT(codes, ElementsAre(errc::ok, errc::invalid, errc::internal, errc::ok));
  connection reader{folder.file("test.db"), {}};
  EXPECT_EQ(reader.ask("SELECT GROUP_CONCAT(n) FROM log"), "1,4");
  EXPECT_EQ(rollbacks, 2);
}

} // namespace
} // namespace signalbox::sqlite
