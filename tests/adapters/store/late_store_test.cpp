// A store that was late or failed takes no work from owners that are alive.

#include "tests/adapters/store/commit_gate.hpp"
#include "tests/adapters/store/store_fixture.hpp"

#include <gmock/gmock.h>
#include <sqlite3.h>

#include <future>

namespace signalbox {
namespace {

using testing::IsEmpty;
using testing::SizeIs;

using namespace std::chrono_literals;

class late_store : public store_fixture {
protected:
  void SetUp() override {
    auto held = options();
    held.fault = [gate = gate, fails = fails] {
      gate->pass();
      return fails->load() ? SQLITE_FULL : SQLITE_OK;
    };
    store = std::move(sqlite_store::open(held).value);
    await<registration_result>([&](auto done) {
      store->register_tokens(default_app,
                             {{"ann", platform::apns, environment::production, "phone", {}}},
                             std::move(done));
    });
  }

  work_ptr take() {
    return await<std::vector<commit_result>>([&](auto done) {
             store->commit_jobs({{job_for("ann"), true}}, 15s, std::move(done));
           })
      .value.at(0)
      .taken.at(0);
  }

  std::future<result<claim_result>> claim() {
    auto promise = std::make_shared<std::promise<result<claim_result>>>();
    store->claim({"push", {{{}, 1'000}}, 64, 15s},
                 [promise](auto value) { promise->set_value(std::move(value)); });
    return promise->get_future();
  }

  std::future<result<renewal>> renew(const work_ptr& work) {
    auto promise = std::make_shared<std::promise<result<renewal>>>();
    store->renew({{work->kind, work->key, work->epoch}}, 15s,
                 [promise](auto value) { promise->set_value(std::move(value)); });
    return promise->get_future();
  }

  std::shared_ptr<commit_gate> gate = std::make_shared<commit_gate>();
  std::shared_ptr<std::atomic<bool>> fails = std::make_shared<std::atomic<bool>>(false);
  std::unique_ptr<sqlite_store> store;
};

TEST_F(late_store, leases_do_not_end_before_a_renewal_that_waits) {
  const auto work = take();
  gate->shut();
  auto in_the_way = claim();
  gate->wait_until_held();
  auto next = claim();
  auto renewed = renew(work);
  advance(15s);
  gate->open();
  in_the_way.get();
  EXPECT_THAT(next.get().value.works, IsEmpty());
  EXPECT_TRUE(renewed.get().value.leases.at(0).held);
}

TEST_F(late_store, nor_while_renewals_fail_and_the_owner_can_renew_again) {
  const auto work = take();
  fails->store(true);
  for (int i = 0; i < 20; ++i) {
    advance(1s);
    EXPECT_EQ(renew(work).get().code, errc::disk_full);
  }
  fails->store(false);
  EXPECT_THAT(claim().get().value.works, IsEmpty());
  EXPECT_TRUE(renew(work).get().value.leases.at(0).held);
}

TEST_F(late_store, but_an_owner_that_renews_no_more_loses_them_all_the_same) {
  const auto work = take();
  fails->store(true);
  advance(15s);
  EXPECT_EQ(renew(work).get().code, errc::disk_full);
  fails->store(false);
  advance(5s);
  EXPECT_THAT(claim().get().value.works, SizeIs(1));
}

TEST_F(late_store, also_where_the_clock_is_put_back_after_a_failure) {
  const auto work = take();
  advance(1h);
  fails->store(true);
  EXPECT_EQ(renew(work).get().code, errc::disk_full);
  fails->store(false);
  advance(-1h + 15s);
  EXPECT_THAT(claim().get().value.works, SizeIs(1));
}

TEST_F(late_store, health_checks_that_come_together_share_one_answer) {
  gate->shut();
  auto in_the_way = claim();
  gate->wait_until_held();
  std::atomic<int> answered{0};
  std::promise<void> all;
  const auto before = gate->passed();
  for (int i = 0; i < 100; ++i)
    store->check_health([&](const result<unit>& health) {
      EXPECT_TRUE(health.ok());
      if (++answered == 100)
        all.set_value();
    });
  gate->open();
  all.get_future().get();
  in_the_way.get();
  EXPECT_EQ(gate->passed() - before, 2) << "the claim, and one check";
  EXPECT_TRUE(await<unit>([&](auto done) { store->check_health(std::move(done)); }).ok());
}

} // namespace
} // namespace signalbox
