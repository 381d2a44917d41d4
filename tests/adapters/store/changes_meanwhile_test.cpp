// What changes between a store's reading and its writing.

#include "tests/adapters/store/commit_gate.hpp"
#include "tests/adapters/store/statement_watch.hpp"
#include "tests/adapters/store/store_fixture.hpp"

#include <gmock/gmock.h>

namespace signalbox {
namespace {

using namespace std::chrono_literals;

class changes_meanwhile : public store_fixture {
protected:
  void SetUp() override {
    auto held = options();
    held.fault = [gate = gate] { return gate->pass(); };
    held.import_slice = 0ms; // a token each
    store = std::move(sqlite_store::open(held).value);
    await<registration_result>([&](auto done) {
      store->register_tokens(default_app,
                             {{"ann", platform::apns, environment::production, "phone", {}}},
                             std::move(done));
    });
  }

  result<std::vector<commit_result>> commit(const new_job& job) {
    return await<std::vector<commit_result>>([&](auto done) {
      store->commit_jobs({{job, true}}, 15s, std::move(done));
    });
  }

  // Commits a job for ann whose long list of users is read before `change` is written, and that is
  // written after it.
  commit_result commit_across(const std::function<void()>& change) {
    gate->shut();
    auto in_the_way = std::async(std::launch::async, [&] { return commit(job_for("ann")).code; });
    gate->wait_until_held();
    change();
    auto job = job_for({});
    job.scope = {scope_kind::users, {}, {"ann"}, {}};
    for (int i = 0; i < 40; ++i)
      job.scope.users.push_back("nobody" + std::to_string(i));
    const auto reads = statements.reads();
    std::promise<result<std::vector<commit_result>>> promise;
    store->commit_jobs({{job, true}}, 15s,
                       [&](auto value) { promise.set_value(std::move(value)); });
    statements.wait_for_reads(reads + 1);
    gate->open();
    EXPECT_EQ(in_the_way.get(), errc::ok);
    auto committed = promise.get_future().get();
    EXPECT_TRUE(committed.ok()) << committed.message;
    return committed.ok() ? committed.value.at(0) : commit_result{};
  }

  statement_watch statements;
  std::shared_ptr<commit_gate> gate = std::make_shared<commit_gate>();
  std::unique_ptr<sqlite_store> store;
};

TEST_F(changes_meanwhile, a_user_deleted_before_the_commit_is_sent_nothing) {
  const auto committed =
    commit_across([&] { store->delete_user(default_app, "ann", [](const result<unit>&) {}); });
  EXPECT_EQ(committed.code, errc::not_found);
}

TEST_F(changes_meanwhile, a_token_of_another_user_by_the_commit_is_sent_nothing) {
  const auto committed = commit_across([&] {
    std::vector<token_registration> tokens;
    for (const auto* token : {"phone", "t1", "t2"})
      tokens.push_back({"eve", platform::apns, environment::production, token, {}});
    store->register_tokens(default_app, tokens, [](const result<registration_result>&) {});
  });
  EXPECT_THAT(committed.taken, testing::IsEmpty());
}

} // namespace
} // namespace signalbox
