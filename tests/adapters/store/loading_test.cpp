// What the loading of claimed work costs, and what becomes of its lease meanwhile.

#include "actors/target_list.hpp"
#include "adapters/store/sqlite/loading.hpp"
#include "adapters/store/sqlite/migrations.hpp"
#include "tests/adapters/store/commit_gate.hpp"
#include "tests/adapters/store/store_fixture.hpp"

#include <gmock/gmock.h>
#include <sqlite3.h>

#include <algorithm>
#include <cstring>
#include <future>
#include <pthread.h>
#include <string_view>

namespace signalbox::sqlite {
namespace {

using testing::IsEmpty;
using testing::SizeIs;

using namespace std::chrono_literals;

constexpr std::int64_t members = 60'000;

class loading : public testing::Test {
protected:
  loading() {
    migrate(database);
    database.run(
      "BEGIN; "
      "INSERT INTO lanes(id, name) VALUES(1, 'push'); "
      "INSERT INTO topics(id, app, name, title, created_at) VALUES(1, 1, 'news', '', 0); "
      "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < " +
      std::to_string(members) +
      ") INSERT INTO tokens(id, app, platform, environment, token, registered_at) "
      "SELECT i, 1, 1, 1, 't' || i, 0 FROM n; "
      "INSERT INTO topic_tokens(topic, pool, token) SELECT 1, 17, id FROM tokens; "
      "INSERT INTO jobs(n, id, app, lane, status, plan_done, planned, next_seq, "
      "scope_kind, scope_id, receipts, on_unknown, created_at, payload) "
      "VALUES(1, x'00112233445566778899aabbccddeeff', 1, 1, 3, 1, 0, 1, 3, 1, 1, 1, 0, "
      "'{}'); COMMIT");
    database.execute("UPDATE jobs SET scope_kind = ?", scope_kind::topic);
    shared.options.now = [] { return timestamp{1h}; };
  }

  std::shared_ptr<work> load(const std::vector<token_id>& ids) {
    const auto list = encode_targets(ids);
    database.execute("INSERT OR REPLACE INTO chunks(job, seq, status, lane, app, pool, targets, "
                     "epoch, ids) VALUES(1, 0, 2, 1, 1, 17, ?, 7, ?)",
                     ids.size(), blob{list});
    claimed_work claimed;
    claimed.job = 1;
    claimed.epoch = 7;
    claimed.dest = {default_app, platform::apns, environment::production};
    steps = 0;
    sqlite3_progress_handler(
      database.handle(), 1,
      [](void* counted) {
        ++*static_cast<std::int64_t*>(counted);
        return 0;
      },
      &steps);
    auto loaded = load_work(database, shared, claimed, {});
    sqlite3_progress_handler(database.handle(), 0, nullptr, nullptr);
    return loaded;
  }

  static std::vector<token_id> every(token_id distance, std::size_t count) {
    std::vector<token_id> ids;
    for (std::size_t i = 0; i < count; ++i)
      ids.push_back(1 + static_cast<token_id>(i) * distance);
    return ids;
  }

  temporary_folder folder;
  connection database{folder.file("test.db"), {}};
  shared_state shared;
  std::int64_t steps = 0; ///< of SQLite's machine, for the last load
};

TEST_F(loading, costs_what_the_chunk_holds_and_not_what_lies_between_its_targets) {
  EXPECT_THAT(load(every(members / 50, 50))->targets, SizeIs(50));
  EXPECT_LT(steps, 50 * 500);
  EXPECT_THAT(load({1, members})->targets, SizeIs(2));
  EXPECT_LT(steps, 1'000);
}

TEST_F(loading, neighbours_are_one_range) {
  EXPECT_THAT(load(every(1, 1'000))->targets, SizeIs(1'000));
  const auto of_neighbours = steps;
  EXPECT_LT(of_neighbours, 1'000 * 20);
  EXPECT_THAT(load(every(3, 1'000))->targets, SizeIs(1'000));
  EXPECT_LT(steps, of_neighbours * 3) << "two others in a row are passed by";
}

TEST_F(loading, finds_the_same_dense_and_sparse_and_where_members_are_missing) {
  database.run("DELETE FROM topic_tokens WHERE token IN (3, 20000, 20001, 59999); "
               "UPDATE tokens SET invalidated_at = 1 WHERE id = 20000; "
               "DELETE FROM tokens WHERE id = 20001");
  std::vector<token_id> ids = every(1, 30);
  for (token_id id = 19'990; id < 20'010; ++id)
    ids.push_back(id);
  for (token_id id = 30'000; id < members; id += 777)
    ids.push_back(id);
  ids.push_back(59'999);
  ids.push_back(members);
  std::sort(ids.begin(), ids.end());
  const auto work = load(ids);
  std::vector<token_id> found;
  for (const auto& one : work->targets) {
    found.push_back(one.id);
    EXPECT_EQ(work->token(one), "t" + std::to_string(one.id));
    EXPECT_EQ(ids.at(one.index), one.id);
  }
  for (const auto& one : work->settled)
    found.push_back(one.id);
  std::sort(found.begin(), found.end());
  EXPECT_EQ(found, ids);
  std::vector<std::string> reasons;
  for (const auto& one : work->settled)
    reasons.push_back(std::to_string(one.id) + " " + one.reason);
  EXPECT_THAT(reasons, testing::UnorderedElementsAre("3 unsubscribed", "20000 invalidated",
                                                     "20001 deleted", "59999 unsubscribed"));
}

bool is_reader() {
  char name[32] = {};
  ::pthread_getname_np(::pthread_self(), name, sizeof name);
  return std::string_view{name} == "store-reader";
}

// A disk so slow that the store's readers stand still.
class slow_load : public store_fixture {
protected:
  void open_with_slow_reads() {
    auto slow = options();
    slow.now = [gate = gate, clock = clock] {
      if (is_reader())
        gate->pass();
      return clock->load();
    };
    auto opened = sqlite_store::open(slow);
    ASSERT_TRUE(opened.ok()) << opened.message;
    store = std::move(opened.value);
    await<registration_result>([&](auto done) {
      store->register_tokens(default_app,
                             {{"ann", platform::apns, environment::production, "phone", {}}},
                             std::move(done));
    });
    await<std::vector<commit_result>>([&](auto done) {
      store->commit_jobs({{job_for("ann"), false}}, 15s, std::move(done));
    });
  }

  std::future<result<claim_result>> claim(std::chrono::milliseconds lease) {
    auto promise = std::make_shared<std::promise<result<claim_result>>>();
    store->claim(
      {"push", {{{default_app, platform::apns, environment::production}, 1'000}}, 64, lease},
      [promise](auto value) { promise->set_value(std::move(value)); });
    return promise->get_future();
  }

  sweep_result sweep() {
    return await<sweep_result>([&](auto done) {
             store->sweep({"push", 1'000}, std::move(done));
           })
      .value;
  }

  bool holds(const work_ptr& work) {
    return await<renewal>([&](auto done) {
             store->renew({{work->kind, work->key, work->epoch}}, 15s, std::move(done));
           })
      .value.leases.at(0)
      .held;
  }

  std::shared_ptr<commit_gate> gate = std::make_shared<commit_gate>();
  std::unique_ptr<sqlite_store> store;
};

TEST_F(slow_load, a_load_that_is_slower_than_its_lease_keeps_it) {
  open_with_slow_reads();
  gate->shut();
  auto first = claim(1s);
  gate->wait_until_held();
  for (int i = 0; i < 10; ++i) {
    advance(2s);
    sweep();
  }
  gate->open();
  const auto works = first.get().value.works;
  ASSERT_THAT(works, SizeIs(1));
  EXPECT_THAT(works.at(0)->targets, SizeIs(1));
  EXPECT_TRUE(holds(works.at(0)));
  const auto letters = await<page_of<dead_letter_view>>([&](auto done) {
    store->list_dead_letters({}, {{}, 10}, std::move(done));
  });
  EXPECT_THAT(letters.value.items, IsEmpty());
}

TEST_F(slow_load, nobody_else_claims_meanwhile) {
  open_with_slow_reads();
  gate->shut();
  auto first = claim(1s);
  gate->wait_until_held();
  advance(2s);
  auto second = claim(1s);
  sweep(); // behind it
  gate->open();
  EXPECT_THAT(second.get().value.works, IsEmpty());
  EXPECT_THAT(first.get().value.works, SizeIs(1));
}

TEST_F(slow_load, its_work_is_handed_over_with_a_lease_that_has_begun_anew) {
  open_with_slow_reads();
  gate->shut();
  const auto asked_at = boot_clock::now();
  auto first = claim(3ms);
  gate->wait_until_held();
  while (boot_clock::now() < asked_at + 10ms) // past the lease
    std::this_thread::yield();
  const auto loaded_at = boot_clock::now();
  gate->open();
  const auto works = first.get().value.works;
  ASSERT_THAT(works, SizeIs(1));
  EXPECT_GT(works.at(0)->lease_deadline, loaded_at);
}

// The same for retries, whose leases are in memory.
TEST_F(slow_load, retries_keep_theirs_too) {
  open_with_slow_reads();
  const auto work = claim(15s).get().value.works.at(0);
  outcome_batch batch;
  batch.of = work;
  outcome one;
  one.token = work->targets.at(0).id;
  one.index = 0;
  one.status = outcome_status::retry;
  one.retry_at = now();
  batch.others.push_back(one);
  ASSERT_TRUE(await<flush_result>([&](auto done) { store->flush({batch}, std::move(done)); }).ok());
  gate->shut();
  auto first = claim(1s);
  gate->wait_until_held();
  for (int i = 0; i < 3; ++i) {
    advance(2s);
    sweep();
  }
  gate->open();
  const auto works = first.get().value.works;
  ASSERT_THAT(works, SizeIs(1));
  EXPECT_EQ(works.at(0)->kind, work_kind::retry);
  EXPECT_TRUE(holds(works.at(0)));
}

} // namespace
} // namespace signalbox::sqlite
